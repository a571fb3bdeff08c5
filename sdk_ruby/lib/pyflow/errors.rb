# frozen_string_literal: true

# Everything this SDK raises.
#
#   Pyflow::Error (StandardError)
#     UsageError        a declaration or an option makes no sense; exit code 2
#     NotInActivity     Pyflow.current outside an activity
#     ProgressRefused   progress details have no JSON form, or are too long
#     ActivityFailure   raised by activities that choose their failure's type
#     HostUnreachable   no host answered within start_timeout or give_up_after; exit code 1
#     HostRefused       the host sent this worker away for good; exit code 1
#   Pyflow::Canceled (Exception)
module Pyflow
  # Parent of all errors of this SDK.
  class Error < StandardError; end

  # A declaration or an option makes no sense. The author's doing; the message says which and what is allowed.
  class UsageError < Error; end

  # {Pyflow.current} was asked for outside an activity.
  class NotInActivity < Error
    def initialize(message = "no activity runs in this thread; hand the context over with Pyflow.with_context")
      super
    end
  end

  # The details given to {Context#progress} cannot be sent. The task goes on.
  class ProgressRefused < Error; end

  # No host answered for as long as the worker was told to try.
  class HostUnreachable < Error; end

  # The host sent this worker away for good: wrong token, wrong contract version, or a second worker with its key.
  class HostRefused < Error; end

  # Fails the task with a type of the author's choice. Any other exception fails it too, with its class name as the
  # type.
  class ActivityFailure < Error
    # @return [String] what a workflow matches on; SWF keeps 256 characters
    attr_reader :type
    # @return [Object, nil] anything with a JSON form, for the workflow to read
    attr_reader :details
    # @return [Numeric, nil] seconds to wait before the next attempt, in place of the retry policy's own
    attr_reader :next_retry_delay

    # @param type [String, Symbol]
    # @param message [String]
    # @param details [Object, nil]
    # @param non_retryable [Boolean] another attempt cannot help
    # @param next_retry_delay [Numeric, nil] seconds
    def initialize(type:, message: "", details: nil, non_retryable: false, next_retry_delay: nil)
      super(message)
      raise ArgumentError, "the type of an ActivityFailure must not be empty" if type.to_s.empty?

      @type = type.to_s
      @details = details
      @non_retryable = non_retryable
      @next_retry_delay = next_retry_delay
    end

    # @return [Boolean] whether a retry policy is to stop here
    def non_retryable? = @non_retryable
  end

  # Ends an activity that was asked to stop. No StandardError, so that a plain `rescue` does not swallow it.
  class Canceled < Exception # rubocop:disable Lint/InheritException -- control flow, see above
    # @return [Object, nil] how far the activity came, for the workflow to read
    attr_reader :details

    # @param details [Object, nil] anything with a JSON form
    def initialize(details = nil)
      super("the activity was asked to stop")
      @details = details
    end
  end
end
