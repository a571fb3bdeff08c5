# frozen_string_literal: true

# JSON as the contract wants it: UTF-8, no NaN or infinities, integers exact, every refusal with its place.

require "json"
require "pyflow_api/v1/payload_pb"
require_relative "json_form"

module Pyflow
  module Internal
    # Values to payloads and back.
    module Json
      CONTENT_TYPE = "application/json"
      BEYOND_BASIC_PLANE = "\u{10000}-\u{10FFFF}"
      # Ruby's generator spells the one control character of ASCII above the space as an escape; nobody else does.
      ESCAPED_DELETE = /(?<!\\)((?:\\\\)*)\\u007F/

      # A value that cannot be read or written, and why.
      class Unfit < Error; end

      module_function

      # @param payload [PyflowApi::V1::Payload]
      # @return [Object]
      # @raise [Unfit]
      def read(payload)
        unless json?(payload)
          raise Unfit,
                "its content type is '#{payload.content_type}', this SDK reads #{CONTENT_TYPE} only"
        end

        text = payload.data.dup.force_encoding(Encoding::UTF_8)
        raise Unfit, "it is not UTF-8" unless text.valid_encoding?

        ::JSON.parse(text, max_nesting: JsonForm::NESTING_DEPTH_MAX, create_additions: false)
      rescue ::JSON::ParserError => e
        raise Unfit, "it is not JSON: #{e.message[0, 200].scrub}"
      end

      # @return [String] JSON text in UTF-8
      # @raise [Unfit]
      def write(value)
        JsonForm.check(value)
        text = ::JSON.generate(value, max_nesting: JsonForm::NESTING_DEPTH_MAX)
        text.include?("\\u007F") ? text.gsub(ESCAPED_DELETE, "\\1\u007f") : text
      rescue ::JSON::GeneratorError => e
        raise Unfit, e.message
      end

      # @param text [String] JSON text
      # @return [PyflowApi::V1::Payload]
      def payload(text) = PyflowApi::V1::Payload.new(data: text.b)

      # @return [Integer] UTF-16 units, which is what SWF counts
      def characters(text) = text.ascii_only? ? text.bytesize : text.length + text.count(BEYOND_BASIC_PLANE)

      def json?(payload) = payload.content_type.empty? || payload.content_type == CONTENT_TYPE
    end
  end
end
