# frozen_string_literal: true

# The worker SDK as a gem. Not needed to run from a checkout: `ruby -I sdk_ruby/lib`.

require_relative "lib/pyflow/version"

Gem::Specification.new do |gem|
  gem.name = "pyflow_activity"
  gem.version = Pyflow::VERSION
  gem.summary = "Activities in Ruby for pyflow workflows on Amazon SWF"
  gem.description = "Runs activity tasks of Amazon SWF that a pyflow activity host hands out. Needs no AWS SDK."
  gem.authors = ["The pyflow authors"]
  gem.license = "Apache-2.0"
  gem.required_ruby_version = ">= 3.1"
  gem.files = Dir["lib/**/*.rb", "exe/*", "README.md", base: __dir__]
  gem.bindir = "exe"
  gem.executables = ["pyflow-activity"]
  gem.add_dependency "google-protobuf", ">= 3.21", "< 5"
  gem.add_dependency "grpc", "~> 1.51"
  gem.metadata["rubygems_mfa_required"] = "true"
end
