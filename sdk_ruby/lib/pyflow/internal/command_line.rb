# frozen_string_literal: true

# The command pyflow-activity: options and files of activities in, a running worker out.

require "optparse"

module Pyflow
  module Internal
    # Exit codes: 0 drained, 1 gave up or was sent away, 2 wrong usage.
    class CommandLine
      EXIT_USAGE = 2
      OPTIONS = [
        [:host, "--host ADDRESS", "unix:/path, name:7233 or [::1]:7233"],
        [:task_list, "--task-list NAME", "SWF activity task list"],
        [:domain, "--domain NAME", "SWF domain; left out: the host's first"],
        [:slots, "--slots N", "tasks at a time; default #{Settings::SLOTS_DEFAULT}"],
        [:start_timeout, "--start-timeout SECONDS", "end when no host has answered within so long of the start; " \
                                                    "default: as --give-up-after, else 30"],
        [:give_up_after, "--give-up-after SECONDS", "end when a host that had answered is gone for so long; " \
                                                    "default: never"],
        [:token_file, "--token-file FILE", "bearer token, read anew at every connect"],
        [:tls_ca, "--tls-ca FILE", "authority of the host's certificate; means TLS"],
        [:tls_cert, "--tls-cert FILE", "the worker's own certificate; means TLS"],
        [:tls_key, "--tls-key FILE", "its key"],
        [:insecure, "--insecure", "plaintext to an address that is not loopback"]
      ].freeze

      # @param arguments [Array<String>]
      # @return [void] does not return when the usage is wrong
      def self.run(arguments)
        new.run(arguments)
      rescue UsageError, OptionParser::ParseError => e
        Log.line(e.message)
        exit(EXIT_USAGE)
      end

      # @raise [UsageError, OptionParser::ParseError]
      def run(arguments)
        options = {}
        files = parser(options).parse(arguments)
        raise UsageError, "no file of activities given; see --help" if files.empty?

        files.each { |file| load_file(file) }
        raise UsageError, "#{files.join(", ")}: no class declares an activity" if Activity.declaring.empty?

        Worker.new(activities: Activity.declaring, **options).run
      end

      private

      def parser(options)
        OptionParser.new do |parser|
          parser.banner = "Usage: pyflow-activity FILE.rb... --task-list NAME [options]"
          parser.separator("Serves the activities that the files declare. Each option is an environment variable too:")
          OPTIONS.each do |name, flag, text|
            parser.on(flag, "#{text} (#{Settings::VARIABLES.fetch(name)})") { |value| options[name] = value }
          end
          parser.on("--version", "print the version and exit") { puts(VERSION) || exit }
          parser.on("-h", "--help", "print this text and exit") { puts(parser) || exit }
        end
      end

      def load_file(file)
        path = File.expand_path(file)
        raise UsageError, "there is no file #{file}" unless File.file?(path)

        begin
          require path
        rescue LoadError, SyntaxError, StandardError => e
          at = e.backtrace.find { |line| line.start_with?("#{path}:") } || e.backtrace.first
          raise UsageError, "#{file} cannot be loaded: #{e.message} (#{e.class}, #{at})"
        end
      end
    end
  end
end
