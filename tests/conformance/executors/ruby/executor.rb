# frozen_string_literal: true

# The Ruby executor: `pyflow-activity executor.rb`. README.md tells what each activity must do.

require "fileutils"
require "pyflow"

# What activities share.
module Gates
  PATIENCE_S = 60
  LOOK_S = 0.01

  def self.begin(gate) = FileUtils.touch("#{gate}.begun")

  def self.await_go(gate)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + PATIENCE_S
    until File.exist?("#{gate}.go")
      raise "#{gate}.go did not come" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      sleep(LOOK_S)
    end
  end
end

# Nested, to see that types travel without their modules.
module Troubles
  class InnerTrouble < StandardError; end
  class MiddleTrouble < StandardError; end
  class CardExpired < StandardError; end
  class Level < StandardError; end
end

# Arguments and results.
class Values
  include Pyflow::Activity
  activity :echo, version: "1.0", start_to_close: 60, heartbeat: 2.5, description: "gives back what it got", spread: false
  activity :echo_two, name: "echo", version: "2.0"
  activity :nothing, version: "1.0"
  activity :add, version: "1.0"
  activity :single, version: "1.0"
  activity :make, version: "1.0"
  activity :big, version: "1.0"
  activity :facts, version: "1.0"

  def echo(value) = value
  def echo_two(value) = { "version" => 2, "value" => value }
  def nothing = nil
  def add(a, b = 1) = a + b # rubocop:disable Naming/MethodParameterName -- the names are part of the case
  def single(document) = document
  def big(length, text = "x") = text * length

  def make(what)
    ring = []
    ring << ring
    { "nan" => { "list" => [1.5, Float::NAN] }, "infinity" => [-Float::INFINITY], "surrogate" => "\xED\xA0\x80",
      "object" => Object.new, "ring" => ring }.fetch(what)
  end

  def facts
    left = context.time_left
    { "attempt" => context.attempt, "workflow_id" => context.workflow_id, "run_id" => context.run_id,
      "activity_id" => context.activity_id, "key" => context.idempotency_key, "last_progress" => context.last_progress,
      "headers" => context.headers, "has_time_limit" => !left.nil?, "time_left_is_right" => left.nil? || left.between?(0, 30) }
  end
end

# Waiting, progress and cancel.
class Running
  include Pyflow::Activity
  activity :hold, version: "1.0"
  activity :until_canceled, version: "1.0"
  activity :progress_after_cancel, version: "1.0"
  activity :steps, version: "1.0"
  activity :progress_then, version: "1.0"
  activity :long_progress, version: "1.0"

  def hold(gate, value = nil)
    Gates.begin(gate)
    Gates.await_go(gate)
    Gates.begin("#{gate}.end")
    value
  end

  def until_canceled(gate)
    Gates.begin(gate)
    raise "no cancel came" unless context.wait_canceled(Gates::PATIENCE_S)

    raise Pyflow::Canceled, { "reason" => context.cancel_reason.to_s.upcase }
  end

  def progress_after_cancel(gate)
    Gates.begin(gate)
    context.wait_canceled(Gates::PATIENCE_S)
    context.progress({ "after" => "cancel" })
    Gates.await_go(gate)
    context.raise_if_canceled
  end

  def steps(count, gate)
    1.upto(count) { |number| context.progress({ "step" => number }) }
    Gates.begin(gate)
    Gates.await_go(gate)
    count
  end

  def progress_then(what)
    1.upto(500) { |call| context.progress({ "reached" => what, "call" => call }) }
    raise Troubles::CardExpired, "right after progress" if what == "failure"

    what
  end

  def long_progress(length)
    context.progress("x" * length)
    "sent"
  rescue Pyflow::ProgressRefused
    "refused"
  end
end

# Failures.
class Failing
  include Pyflow::Activity
  activity :fail, version: "1.0"

  def fail(how)
    case how
    when "plain" then raise Troubles::CardExpired, "kaputt ä 😀"
    when "empty" then raise Troubles::CardExpired, ""
    when "chain" then chain
    when "deep" then levels(40)
    when "long" then raise Troubles::CardExpired, "x" * 100_000
    when "author" then raise Pyflow::ActivityFailure.new(type: "PaymentRefused", message: "no money", details: { "card" => "1234" },
                                                         non_retryable: true, next_retry_delay: 2.5)
    when "minimal" then raise Pyflow::ActivityFailure.new(type: "Minimal")
    when "nan_details" then raise Pyflow::ActivityFailure.new(type: "OddDetails", message: "they are NaN", details: { "x" => Float::NAN })
    end
  end

  private

  def chain
    begin
      begin
        raise Troubles::InnerTrouble, "disk"
      rescue Troubles::InnerTrouble
        raise Troubles::MiddleTrouble, "ledger"
      end
    rescue Troubles::MiddleTrouble
      raise Troubles::CardExpired, "card"
    end
  end

  def levels(depth, level = 1)
    levels(depth, level + 1) if level < depth
    raise Troubles::Level, "level #{level}"
  rescue Troubles::Level => e
    raise e if e.message == "level #{level}"

    raise Troubles::Level, "level #{level}"
  end
end

# Results that come from elsewhere, and processes.
class Elsewhere
  include Pyflow::Activity
  activity :later, version: "1.0"
  activity :later_but_fails, version: "1.0"
  activity :finish_elsewhere, version: "1.0"
  activity :child_process, version: "1.0"
  activity :die, version: "1.0"

  def later(gate)
    File.write("#{gate}.token", context.complete_later)
    Gates.begin(gate)
    "not the result"
  end

  def later_but_fails
    context.complete_later
    raise Troubles::CardExpired, "after all not"
  end

  def finish_elsewhere(token, how, value)
    client = Pyflow::HostClient.new
    case how
    when "complete" then client.complete(token, value)
    when "fail" then client.fail(token, Pyflow::ActivityFailure.new(type: "FromOutside", message: "told by another", details: value))
    when "progress" then client.progress(token, value)
    else client.cancel(token)
    end
  ensure
    client&.close
  end

  # Forks, as prefork servers do, while gRPC has threads.
  def child_process
    pid = fork { exit!(3) }
    Process.wait2(pid).last.exitstatus
  end

  def die = Process.kill("KILL", Process.pid)
end
