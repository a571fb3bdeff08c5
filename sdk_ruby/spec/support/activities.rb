# frozen_string_literal: true

# The activities that specs of the conversation use.

# Plain ones.
class Echo
  include Pyflow::Activity
  activity :echo, version: "1.0", start_to_close: 60, heartbeat: 2.5, description: "gives back what it got",
                  spread: false
  activity :describe, version: "2.0", name: "describe_task"

  def echo(value) = value

  def describe
    { "attempt" => context.attempt, "workflow_id" => context.workflow_id, "run_id" => context.run_id,
      "activity_id" => context.activity_id, "key" => context.idempotency_key, "last" => context.last_progress,
      "headers" => context.headers, "left" => context.time_left }
  end
end

# Ones that wait until a spec lets them go on.
class Waiter
  include Pyflow::Activity
  activity :wait, version: "1.0"
  activity :wait_for_cancel, version: "1.0"

  @running = Queue.new
  @gate = Queue.new

  class << self
    attr_reader :running, :gate

    def reset
      running.clear
      gate.clear
    end

    # Waits until so many run.
    def await_running(count = 1) = count.times { Waiting.pop(running, "a running activity") }
    def let_go(count = 1) = count.times { gate << true }
  end

  def wait(value = nil)
    Waiter.running << true
    Waiter.gate.pop
    value
  end

  def wait_for_cancel
    Waiter.running << true
    context.wait_canceled(Waiting::DEADLINE_S)
    context.raise_if_canceled({ reason: context.cancel_reason.to_s })
  end
end

# Ones that tell progress.
class Teller
  include Pyflow::Activity
  activity :tell, version: "1.0"
  activity :tell_much, version: "1.0"

  def tell(details) = context.progress(details)

  def tell_much(count)
    count.times { |number| context.progress({ "number" => number }) }
    Waiter.new.wait
    context.progress("last")
  end
end

# Ones that fail.
class Failing
  include Pyflow::Activity
  activity :chain, version: "1.0"
  activity :chosen, version: "1.0"
  activity :missing_file, version: "1.0"
  activity :give_back, version: "1.0"
  activity :exit_process, version: "1.0"
  activity :kill_thread, version: "1.0"
  activity :overflow_stack, version: "1.0"
  activity :bad_bytes, version: "1.0"

  # Nested, to see that types travel without their modules.
  class Refused < StandardError; end

  VALUES = { "nan" => Float::NAN, "infinity" => { a: [Float::INFINITY] }, "object" => Object.new, "bytes" => ["\xFF".b],
             "latin" => "\xE9".dup.force_encoding("ISO-8859-1"), "huge" => "x" * 40_000, "astral" => "😀" * 16_384,
             "symbols" => { a: :b, 1 => nil }, "twins" => { "a" => 1, a: 2 }, "delete" => "\x7f\\u007F" }.freeze

  def chain
    begin
      Integer("x")
    rescue ArgumentError
      raise KeyError, "middle"
    end
  rescue KeyError
    raise Refused, "no: é"
  end

  def chosen
    raise Pyflow::ActivityFailure.new(type: "CardExpired", message: "expired", details: { card: 12 },
                                      non_retryable: true, next_retry_delay: 2.5)
  end

  def missing_file = File.read("/nonexistent/file")
  def give_back(key) = VALUES.fetch(key)
  def exit_process = exit(3)
  def kill_thread = Thread.current.kill
  def overflow_stack = overflow_stack
  def bad_bytes = raise("\xFF is no text".b)
end

# One that finishes later.
class Later
  include Pyflow::Activity
  activity :later, version: "1.0"
  activity :later_but_fails, version: "1.0"

  def later = context.complete_later

  def later_but_fails
    context.complete_later
    raise "after all not"
  end
end
