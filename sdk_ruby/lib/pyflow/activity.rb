# frozen_string_literal: true

# How a class declares that its methods are activities.

require_relative "internal/served_activity"

module Pyflow
  # Include it in a class whose methods are activities, then declare them:
  #
  #   class Words
  #     include Pyflow::Activity
  #     activity :count_words, version: "1.0", start_to_close: 60, heartbeat: 10
  #     def count_words(text) = text.split.size
  #   end
  #
  # A worker makes a new instance for each task, so instance variables are never shared between threads. Give the worker
  # an instance instead of the class if it needs constructor arguments; that one instance then serves all threads.
  module Activity
    @declaring = []

    class << self
      # @return [Array<Class>] every class that has declared an activity, in the order of declaration
      attr_reader :declaring

      # @!visibility private
      def included(base)
        super
        base.extend(Declarations)
      end
    end

    # The class methods that {Activity} brings along.
    module Declarations
      # Declares a method of this class, defined before or after, as an activity type of SWF.
      #
      # @param method_name [Symbol]
      # @param version [String] SWF's version, 1 to 64 characters
      # @param name [String] SWF's name, 1 to 256 characters
      # @param description [String] one line for SWF, at most 1,024 characters
      # @param spread [Boolean] false: the input always is the method's single argument, even if it is a hash whose keys
      #   are parameter names
      # @param timeouts [Hash{Symbol => Numeric, nil}] seconds; one that is left out is no limit
      # @option timeouts [Numeric] :start_to_close how long a task may run
      # @option timeouts [Numeric] :heartbeat after how long SWF gives up a task whose worker is gone
      # @option timeouts [Numeric] :schedule_to_start how long a task may wait for a worker
      # @option timeouts [Numeric] :schedule_to_close how long waiting and running may take together
      # @return [Symbol] method_name
      # @raise [Pyflow::UsageError]
      def activity(method_name, version:, name: method_name.to_s, description: "", spread: true, **timeouts)
        own_activities << Internal::Declaration.new(method_name: method_name.to_sym, name:, version:,
                                                    description:, spread:, timeouts:)
        Activity.declaring << self unless Activity.declaring.include?(self)
        method_name.to_sym
      end

      # @!visibility private
      def declared_activities
        inherited = superclass.respond_to?(:declared_activities) ? superclass.declared_activities : []
        inherited.reject { |one| own_activities.any? { |own| own.same_type?(one) } } + own_activities
      end

      private

      def own_activities = @own_activities ||= []
    end

    private

    # @return [Pyflow::Context] the context of the running task
    def context = Pyflow.current
  end
end
