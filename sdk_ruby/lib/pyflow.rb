# frozen_string_literal: true

# The worker SDK's front door. Loads no gRPC: that happens in the process that runs a worker, after any fork.

require_relative "pyflow/version"
require_relative "pyflow/errors"
require_relative "pyflow/context"
require_relative "pyflow/activity"
require_relative "pyflow/worker"
require_relative "pyflow/host_client"

# Activities for pyflow workflows on Amazon SWF.
module Pyflow
  CURRENT = :pyflow_context
  private_constant :CURRENT, :Internal

  # The context of the activity that runs in this thread.
  #
  # @return [Pyflow::Context]
  # @raise [Pyflow::NotInActivity] outside an activity, or in a thread that the activity started itself
  def self.current
    Thread.current.thread_variable_get(CURRENT) || raise(NotInActivity)
  end

  # Runs a block as part of an activity, for example in a thread that the activity started itself.
  #
  # @param context [Pyflow::Context] what {Pyflow.current} gives within the block
  # @yield the code of the activity
  # @return [Object] what the block returns
  def self.with_context(context)
    before = Thread.current.thread_variable_get(CURRENT)
    Thread.current.thread_variable_set(CURRENT, context)
    yield
  ensure
    Thread.current.thread_variable_set(CURRENT, before)
  end
end
