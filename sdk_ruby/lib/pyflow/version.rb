# frozen_string_literal: true

# The gem's version.
module Pyflow
  # @return [String]
  VERSION = "3.0.0"
end
