# frozen_string_literal: true

# A worker's options: what the program gives, else what the environment says.

require_relative "host_access"
require_relative "patience"

module Pyflow
  module Internal
    # Checked values; every refusal names the option and its variable.
    class Settings
      VARIABLES = {
        host: "PYFLOW_HOST_ADDRESS", task_list: "PYFLOW_TASK_LIST", domain: "PYFLOW_DOMAIN", slots: "PYFLOW_SLOTS",
        start_timeout: "PYFLOW_START_TIMEOUT", give_up_after: "PYFLOW_GIVE_UP_AFTER",
        token: "PYFLOW_HOST_TOKEN", token_file: "PYFLOW_HOST_TOKEN_FILE",
        tls_ca: "PYFLOW_HOST_TLS_CA", tls_cert: "PYFLOW_HOST_TLS_CERT", tls_key: "PYFLOW_HOST_TLS_KEY",
        insecure: "PYFLOW_HOST_INSECURE"
      }.freeze
      ACCESS = %i[token token_file tls_ca tls_cert tls_key].freeze
      SLOTS_DEFAULT = 8
      # How long the first host may take to answer. Once one has, the worker comes back to it for ever.
      START_TIMEOUT_S = 30.0
      SLOTS = (1..1_000)
      TASK_LIST_LENGTHS = (1..256)

      # @param given [Hash{Symbol => Object}] nil means not given
      # @param environment [Hash{String => String}, ENV]
      # @raise [Pyflow::UsageError]
      def initialize(given, environment = ENV)
        unknown = given.keys - VARIABLES.keys
        if unknown.any?
          raise UsageError,
                "unknown options #{unknown.join(", ")}; known are #{VARIABLES.keys.join(", ")}"
        end

        @given = given.compact
        @environment = environment
      end

      # @return [HostAccess]
      def access = HostAccess.new(address: value(:host), insecure: insecure?, **credentials)

      # @return [String]
      def task_list
        name = value(:task_list).to_s
        return name if TASK_LIST_LENGTHS.cover?(name.length)

        raise UsageError, "no task list: give task_list: or --task-list, or set PYFLOW_TASK_LIST (1 to 256 characters)"
      end

      # @return [String] empty: the host's first
      def domain = value(:domain).to_s

      # @return [Integer]
      def slots
        number = Integer(value(:slots) || SLOTS_DEFAULT, exception: false)
        return number if number && SLOTS.cover?(number)

        raise UsageError, "slots must be a whole number from #{SLOTS.min} to #{SLOTS.max}, not #{value(:slots).inspect}"
      end

      # @return [Patience]
      def patience
        lost = seconds(:give_up_after)
        Patience.new(start_s: seconds(:start_timeout) || lost || START_TIMEOUT_S, lost_s: lost)
      end

      private

      def seconds(option)
        told = value(option)
        return if told.nil?

        number = Float(told, exception: false)
        return number if number&.positive? && number&.finite?

        raise UsageError, "#{option} (#{VARIABLES.fetch(option)}) must be a positive number of seconds, " \
                          "not #{told.inspect}"
      end

      def value(option)
        @given.fetch(option) do
          @environment[VARIABLES.fetch(option)].then do |text|
            text unless text.to_s.empty?
          end
        end
      end

      def insecure? = [true, "1"].include?(value(:insecure))

      # A token that the program gives outranks a file that the environment names.
      def credentials
        chosen = ACCESS.to_h { |option| [option, value(option)] }
        @given.key?(:token) ? chosen.merge(token_file: @given[:token_file]) : chosen
      end
    end
  end
end
