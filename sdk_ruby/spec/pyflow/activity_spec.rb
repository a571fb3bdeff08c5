# frozen_string_literal: true

# Declarations, and what is wrong with some.

require "spec_helper"

RSpec.describe Pyflow::Activity do
  def worker(*activities, **options)
    Pyflow::Worker.new(activities:, host: "unix:/tmp/nobody.sock", task_list: "t", **options)
  end

  def declare(&) = Class.new { include Pyflow::Activity }.tap { |owner| owner.class_eval(&) }

  it "takes a class, or an instance that needs arguments of its own" do
    owner = declare do
      activity :add, version: "1.0"
      define_method(:initialize) { |number| @number = number }
      define_method(:add) { |other| other + @number }
    end
    expect { worker(owner) }.to raise_error(Pyflow::UsageError, /new needs arguments: give the worker an instance/)
    expect { worker(owner.new(1)) }.not_to raise_error
  end

  it "inherits activities; a subclass may declare one anew" do
    base = declare do
      activity :a, version: "1.0"
      activity :b, version: "1.0"
      define_method(:a) { 1 }
      define_method(:b) { 2 }
    end
    derived = Class.new(base) { activity :a, version: "1.0", heartbeat: 5 }
    types = derived.declared_activities.map { |one| [one.name, one.timeouts] }
    expect(types).to eq([["b", {}], ["a", { heartbeat: 5 }]])
  end

  it "is remembered by the class that declared it, for the command line" do
    owner = declare { activity :a, version: "1.0" }
    expect(described_class.declaring).to include(owner)
    described_class.declaring.delete(owner)
  end

  {
    "version must be a string of 1 to 64 characters, not \"\"" => { version: "" },
    "version must be a string of 1 to 64 characters, not 1" => { version: 1 },
    "name must be a string of 1 to 256" => { version: "1", name: "n" * 257 },
    "description must be" => { version: "1", description: "d" * 1_025 },
    "unknown option start_to_finish:; known timeouts are start_to_close:" => { version: "1", start_to_finish: 1 },
    "heartbeat: must be a positive number of seconds, not 0" => { version: "1", heartbeat: 0 }
  }.each do |words, options|
    it "refuses at once: #{words}" do
      expect { declare { activity :a, **options } }
        .to raise_error(Pyflow::UsageError, /activity :a: .*#{Regexp.escape(words)}/)
    end
  end

  it "refuses to serve what is not there" do
    ghost = declare { activity :ghost, version: "1" }
    expect { worker(ghost) }.to raise_error(Pyflow::UsageError, /no method of that name/)
    expect { worker(String) }.to raise_error(Pyflow::UsageError, /String declares no activity/)
    expect { worker }.to raise_error(Pyflow::UsageError, /at least one/)
  end

  it "refuses two activities of one name and version" do
    twice = declare do
      activity :a, version: "1", name: "same"
      activity :b, version: "1", name: "same"
      define_method(:a) { 1 }
      define_method(:b) { 1 }
    end
    expect { worker(twice) }.to raise_error(Pyflow::UsageError, /two activities are named same 1/)
  end
end
