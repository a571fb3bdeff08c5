# frozen_string_literal: true

# One activity type that a worker serves: what was declared, and the object or class whose method runs.

require "pyflow_api/v1/worker_pb"
require_relative "durations"
require_relative "json"
require_relative "signature"

module Pyflow
  module Internal
    # What `activity :name, ...` said, checked against SWF's limits.
    Declaration = Struct.new(:method_name, :name, :version, :description, :spread, :timeouts, keyword_init: true) do
      def initialize(**)
        super
        check_text("name", name, Declaration::NAME_LENGTHS)
        check_text("version", version, Declaration::VERSION_LENGTHS)
        check_text("description", description, Declaration::DESCRIPTION_LENGTHS)
        timeouts.each { |option, seconds| check_timeout(option, seconds) }
        freeze
      end

      def same_type?(other) = name == other.name && version == other.version

      def to_message
        fields = timeouts.compact.to_h { |option, seconds| [:"#{option}_timeout", Durations.message(seconds)] }
        PyflowApi::V1::ActivityType.new(name:, version:, description:, **fields)
      end

      private

      def check_text(what, text, lengths)
        return if text.is_a?(String) && lengths.cover?(text.length)

        raise UsageError, "activity :#{method_name}: its #{what} must be a string of #{lengths.min} to " \
                          "#{lengths.max} characters, not #{text.inspect}"
      end

      def check_timeout(option, seconds)
        unless Declaration::TIMEOUTS.include?(option)
          raise UsageError, "activity :#{method_name}: unknown option #{option}:; known timeouts are " \
                            "#{Declaration::TIMEOUTS.map { |known| "#{known}:" }.join(", ")}"
        end
        return if seconds.nil? || (seconds.is_a?(Numeric) && seconds.positive?)

        raise UsageError,
              "activity :#{method_name}: #{option}: must be a positive number of seconds, not #{seconds.inspect}"
      end
    end
    Declaration::NAME_LENGTHS = (1..256)
    Declaration::VERSION_LENGTHS = (1..64)
    Declaration::DESCRIPTION_LENGTHS = (0..1_024)
    Declaration::TIMEOUTS = %i[start_to_close heartbeat schedule_to_start schedule_to_close].freeze

    # A declaration bound to what runs it.
    class ServedActivity
      # @param activities [Array<Class, Object>] classes that include {Activity}, or instances of such
      # @return [Hash{Array(String, String) => ServedActivity}] by name and version
      # @raise [UsageError]
      def self.table(activities)
        served = activities.flat_map { |target| of(target) }
        raise UsageError, "a worker needs at least one activity; none was given" if served.empty?

        served.each_with_object({}) do |one, table|
          if table.key?(one.key)
            raise UsageError,
                  "two activities are named #{one.label}; give one another version or name:"
          end

          table[one.key] = one
        end
      end

      # @param target [Class, Object]
      # @return [Array<ServedActivity>]
      def self.of(target)
        owner = target.is_a?(Class) ? target : target.class
        unless owner.include?(Activity) && owner.declared_activities.any?
          raise UsageError,
                "#{owner} declares no activity: it needs `include Pyflow::Activity` and `activity :name, version: ...`"
        end

        owner.declared_activities.map { |declaration| new(declaration, target, owner) }
      end

      # @param declaration [Declaration]
      # @param target [Class, Object] a class is instantiated for each task
      # @param owner [Class]
      def initialize(declaration, target, owner)
        @declaration = declaration
        @target = target
        @signature = Signature.new(method_of(owner), spread: declaration.spread)
        check_constructor(owner) if target.is_a?(Class)
      end

      def key = [@declaration.name, @declaration.version]
      def label = "#{@declaration.name} #{@declaration.version}"
      def to_message = @declaration.to_message

      # @param input [PyflowApi::V1::Payload, nil]
      # @return [Object] what the method returns
      def call(input)
        positional, keywords = arguments(input)
        receiver = @target.is_a?(Class) ? @target.new : @target
        receiver.__send__(@declaration.method_name, *positional, **keywords)
      end

      private

      def arguments(input)
        input ? @signature.bind(Json.read(input)) : @signature.bind_nothing
      rescue Json::Unfit => e
        refuse("pyflow.BadInput", "the input of activity #{label} cannot be read: #{e.message}")
      rescue Signature::Mismatch => e
        refuse("pyflow.BadArguments", "activity #{label}#{@signature}: #{e.message}")
      end

      # Without the cause: the message says it all, and it is the SDK's own.
      def refuse(type, message)
        raise ActivityFailure.new(type:, message:, non_retryable: true), cause: nil
      end

      def method_of(owner)
        owner.instance_method(@declaration.method_name)
      rescue NameError
        raise UsageError, "#{owner} declares activity :#{@declaration.method_name} but has no method of that name"
      end

      def check_constructor(owner)
        Signature.new(owner.instance_method(:initialize), spread: false).bind_nothing
      rescue Signature::Mismatch
        raise UsageError,
              "#{owner}.new needs arguments: give the worker an instance (#{owner}.new(...)) instead of the class"
      end
    end
  end
end
