# frozen_string_literal: true

# pyflow-activity as people start it: real processes.

require "spec_helper"

RSpec.describe "pyflow-activity", :host do
  def script(body, name: "activities.rb")
    File.join(folder, name).tap { |file| File.write(file, body) }
  end

  def run(*arguments, **options)
    @process = WorkerProcess.new(*arguments, **options)
    [@process.exit_code, @process.output]
  end

  after { @process&.kill }

  let(:good) { script(<<~RUBY) }
    require "pyflow"
    class Good
      include Pyflow::Activity
      activity :shout, version: "1.0"
      def shout(text)
        puts "shouting"
        text.upcase
      end
    end
  RUBY

  it "serves, configured by the environment, and writes lines at once" do
    environment = { "PYFLOW_HOST_ADDRESS" => host.address, "PYFLOW_TASK_LIST" => "env-list", "PYFLOW_SLOTS" => "2" }
    @process = WorkerProcess.new(good, env: environment)
    stream = host.welcomed_stream
    expect(stream.hello.to_h).to include(task_list: "env-list", slots: 2)
    expect(stream.perform("shout", input: "é").completed.result.data).to eq('"É"'.b)
    @process.wait_for("shouting")
  end

  it "says which options there are" do
    code, output = run("--help")
    expect([code, output]).to match([0, /--start-timeout SECONDS.*PYFLOW_START_TIMEOUT.*PYFLOW_GIVE_UP_AFTER/m])
    expect(run("--version")).to eq([0, "#{Pyflow::VERSION}\n"])
  end

  it "exits with 1 and the reason when no host answers in time" do
    code, output = run(good, "--host", "unix:#{folder}/nobody.sock", "--task-list", "t", "--start-timeout", "0.2")
    expect(code).to eq(1)
    expect(output).to include("cannot reach an activity host at unix:#{folder}/nobody.sock", "gave up")
    expect(output.lines.size).to be <= 3
  end

  it "exits with 1 and the host's words when it is sent away" do
    @process = WorkerProcess.new(good, "--host", host.address, "--task-list", "t")
    host.next_stream.go_away(:GO_AWAY_REASON_UNAUTHENTICATED, "Give the worker this host's token.")
    expect(@process.exit_code).to eq(1)
    expect(@process.output).to eq("pyflow-activity: the activity host at #{host.address} sent this worker away: " \
                                  "UNAUTHENTICATED: Give the worker this host's token.\n")
  end

  {
    "no file of activities" => [],
    "there is no file missing.rb" => ["missing.rb", "--task-list", "t", "--host", "unix:/a"],
    "invalid option: --nonsense" => ["--nonsense"],
    "missing argument: --slots" => ["--slots"]
  }.each do |words, arguments|
    it "exits with 2: #{words}" do
      code, output = run(*arguments)
      expect([code, output]).to match([2, /\Apyflow-activity: #{Regexp.escape(words)}.*\n\z/])
    end
  end

  {
    "no class declares an activity" => "require 'pyflow'",
    "cannot be loaded: undefined" => "nonsense_here",
    "syntax error" => "class",
    "unknown option colour:" => "activity :a, version: '1', colour: 1",
    "no method of that name" => "activity :a, version: '1'",
    "no address of an activity host" => "activity :a, version: '1'; def a = 1"
  }.each do |words, body|
    it "exits with 2 and no bare backtrace: #{words}" do
      body = "require 'pyflow'; class A; include Pyflow::Activity; #{body}\nend" if body.start_with?("activity")
      code, output = run(script(body), "--task-list", "t")
      expect([code, output]).to match([2, /\Apyflow-activity: .*#{Regexp.escape(words)}/m])
      expect(output).not_to include("\tfrom ")
    end
  end

  it "runs in a child made by fork, and loads gRPC only there" do
    prefork = script(<<~RUBY, name: "prefork.rb")
      require #{good.inspect}
      worker = Pyflow::Worker.new(activities: [Good], host: #{host.address.inspect}, task_list: "forked")
      puts "gRPC before the fork: \#{defined?(GRPC).inspect}"
      Process.wait(fork { worker.run })
      exit!(0)
    RUBY
    @process = WorkerProcess.new(prefork)
    stream = host.welcomed_stream
    expect(stream.perform("shout", input: "a").completed.result.data).to eq('"A"')
    @process.wait_for("gRPC before the fork: nil")
    stream.go_away(:GO_AWAY_REASON_SUPERSEDED)
    expect(@process.exit_code).to eq(0)
  end
end
