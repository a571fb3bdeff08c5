# frozen_string_literal: true

# Which Ruby values have a JSON form. Checked before writing: Ruby's generator would call to_s on anything.

module Pyflow
  module Internal
    # Walks without recursion, so that deep values cannot exhaust a thread's stack.
    module JsonForm
      # Arrays and objects inside each other, either way. The Java SDK has the same limit.
      NESTING_DEPTH_MAX = 2_000
      PLACE_LENGTH_MAX = 200

      Visit = Struct.new(:value, :place, :depth)
      private_constant :Visit

      module_function

      # @raise [Json::Unfit] naming the place
      def check(value)
        pending = []
        visit(value, nil, 0, pending)
        while (container = pending.pop)
          visit_members(container, pending)
        end
      end

      def visit_members(container, pending)
        place = container.place
        if container.value.is_a?(Hash)
          check_keys(container.value, place)
          container.value.each { |key, member| visit(member, [place, ".#{key}"], container.depth, pending) }
        else
          container.value.each_with_index { |member, index| visit(member, [place, index], container.depth, pending) }
        end
      end

      def visit(value, place, depth, pending)
        case value
        when String, Symbol then utf8?(value) || refuse(place, "is text that is not UTF-8")
        when Float then value.finite? || refuse(place, "is #{value}, which JSON does not have")
        when Integer, true, false, nil then nil
        when Hash, Array then pending << Visit.new(value, place, deeper(depth, place))
        else refuse(place, "is a #{value.class}; return strings, numbers, booleans, nil, arrays and hashes")
        end
      end

      def deeper(depth, place)
        if depth < NESTING_DEPTH_MAX
          depth + 1
        else
          refuse(place,
                 "is nested more than #{NESTING_DEPTH_MAX} deep, or contains itself")
        end
      end

      def check_keys(hash, place)
        return if hash.each_key.all? { |key| key.is_a?(String) && utf8?(key) }

        hash.each_key { |key| check_key(key, place) }
        names = hash.keys.map(&:to_s)
        refuse(place, "has two keys spelled alike") if names.uniq.size < names.size
      end

      def check_key(key, place)
        case key
        when String, Symbol then utf8?(key) || refuse(place, "has a key that is not UTF-8")
        when Integer then nil
        else refuse(place, "has a key of class #{key.class}; use strings or symbols")
        end
      end

      def utf8?(text)
        text = text.name if text.is_a?(Symbol)
        case text.encoding
        when Encoding::UTF_8 then text.valid_encoding?
        when Encoding::BINARY then text.dup.force_encoding(Encoding::UTF_8).valid_encoding?
        else text.encode(Encoding::UTF_8) && true
        end
      rescue EncodingError
        false
      end

      def refuse(place, what)
        raise Json::Unfit, "#{spell(place)} #{what}"
      end

      def spell(place)
        steps = []
        while place
          place, step = place
          steps.unshift(step.is_a?(Integer) ? "[#{step}]" : step)
        end
        steps.empty? ? "the value itself" : "value#{steps.join}".scrub[0, PLACE_LENGTH_MAX]
      end
    end
  end
end
