# frozen_string_literal: true

# A real worker in a child process, as people start it.

require "open3"

# pyflow-activity with its output kept.
class WorkerProcess
  ROOT = File.expand_path("../..", __dir__)

  attr_reader :pid

  def initialize(*arguments, env: {})
    @lines = []
    @lock = Mutex.new
    clean = ENV.keys.grep(/\APYFLOW_/).to_h { |name| [name, nil] }
    @in, @out, @waiting = Open3.popen2e(clean.merge(env), RbConfig.ruby, "-I", "#{ROOT}/lib",
                                        "#{ROOT}/exe/pyflow-activity", *arguments)
    @pid = @waiting.pid
    @reader = Thread.new { read }
  end

  def output = @lock.synchronize { @lines.join }
  def signal(name) = Process.kill(name, pid)
  def wait_for(text) = Waiting.until("'#{text}' in #{output}") { output.include?(text) }

  # As if whoever reads its output had been killed.
  def close_output
    @reader.kill.join
    @out.close
  end

  # The exit code; everything is read.
  def exit_code
    raise "still running; it said #{output}" unless @waiting.join(Waiting::DEADLINE_S)

    @reader.join
    @waiting.value.exitstatus
  end

  def kill
    Process.kill("KILL", pid) if @waiting.alive?
    @waiting.join
  end

  private

  def read
    @out.each_line { |line| @lock.synchronize { @lines << line } }
  rescue IOError
    nil
  end
end
