# frozen_string_literal: true

# How a task's input becomes the arguments of a method: the rule of proto/README.md, the same in every language.

module Pyflow
  module Internal
    # The parameters of one method.
    class Signature
      # An input that does not fit. The message names the parameters and what was given.
      class Mismatch < Error; end

      GIVEN_LENGTH_MAX = 200
      NOT_ARGUMENTS = %i[block nokey].freeze
      private_constant :GIVEN_LENGTH_MAX, :NOT_ARGUMENTS

      # @param method [Method, UnboundMethod]
      # @param spread [Boolean] false: the input always is the single argument
      def initialize(method, spread:)
        @parameters = method.parameters.reject { |parameter| NOT_ARGUMENTS.include?(parameter.first) }
        @positional = names(:req, :opt)
        @any_keyword = spread && kind?(:keyrest)
        named = spread ? (@positional + names(:keyreq, :key)).compact : []
        @named = named.to_h { |name| [name.name, name] }
      end

      # @param given [String] what there is in place of an argument, for people
      # @return [Array(Array, Hash)] positional and keyword arguments of a call without input
      # @raise [Mismatch]
      def bind_nothing(given = "there is no input")
        expect_none_missing(names(:req, :keyreq), given)
        [[], {}]
      end

      # @param value [Object] the input
      # @return [Array(Array, Hash)] positional and keyword arguments
      # @raise [Mismatch]
      def bind(value)
        return bind_named(value) if named?(value)

        takes_one = @positional.any? || kind?(:rest)
        return bind_nothing("the input is null") if value.nil? && !takes_one
        raise Mismatch, "it takes no positional argument; #{given(value)}" unless takes_one

        expect_none_missing(names(:req).drop(1) + names(:keyreq), given(value))
        [[value], {}]
      end

      # @return [String] for people: "(path, fail_first: ...)"
      def to_s = "(#{@parameters.map { |kind, name| spell(kind, name) }.join(", ")})"

      private

      def named?(value)
        value.is_a?(Hash) && value.any? && (@any_keyword || value.each_key.all? { |key| @named.key?(key) })
      end

      def bind_named(value)
        named = value.transform_keys { |key| @named[key] || key.to_sym }
        expect_none_missing(names(:req, :keyreq) - named.keys, given(value))
        expect_no_gap(named, value)
        positional = @positional.select { |name| named.key?(name) }.map { |name| named[name] }
        [positional, named.except(*@positional)]
      end

      # Ruby fills optional parameters from the left, so a call cannot leave out one and give a later one.
      def expect_no_gap(named, value)
        optional = names(:opt)
        skipped = optional.take_while { |name| named.key?(name) }.size
        return if optional.drop(skipped).none? { |name| named.key?(name) }

        raise Mismatch, "parameter '#{optional[skipped]}' has no value but a later one has; #{given(value)}"
      end

      def expect_none_missing(missing, given)
        return if missing.empty?

        raise Mismatch, "no value for #{missing.map { |name| name ? "'#{name}'" : "a parameter" }.join(", ")}; #{given}"
      end

      def given(value)
        if value.is_a?(Hash) && value.any?
          return "the input has the keys #{value.keys.join(", ").scrub[0,
                                                                       GIVEN_LENGTH_MAX]}"
        end

        "the input is #{value.nil? ? "null" : "one value of class #{value.class}"}"
      end

      def kind?(kind) = @parameters.any? { |one, _| one == kind }
      def names(*kinds) = @parameters.select { |kind, _| kinds.include?(kind) }.map { |_, name| name }

      def spell(kind, name)
        case kind
        when :keyreq then "#{name}:"
        when :key then "#{name}: ..."
        when :opt then "#{name} = ..."
        when :rest then "*#{name}"
        when :keyrest then "**#{name}"
        else (name || "_").to_s
        end
      end
    end
  end
end
