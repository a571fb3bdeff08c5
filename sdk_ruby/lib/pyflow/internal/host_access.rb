# frozen_string_literal: true

# Where the host is and how to speak to it safely: address, bearer token, TLS.

require "ipaddr"

module Pyflow
  module Internal
    # Files are read anew at each connect, so that tokens and certificates can be rotated.
    class HostAccess
      TCP = %r{\A(?:\[(?<ip6>[0-9a-fA-F:.]+)\]|(?<name>[^:\[\]/\s]+)):(?<port>\d{1,5})\z}
      SYSTEM_AUTHORITIES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                            "/etc/ssl/cert.pem"].freeze
      private_constant :TCP, :SYSTEM_AUTHORITIES

      # @return [String] as gRPC wants it
      attr_reader :address

      # @param address [String, nil] "unix:/path", "name:port" or "[::1]:port"
      # @raise [Pyflow::UsageError] for what can never work
      def initialize(address:, token: nil, token_file: nil, tls_ca: nil, tls_cert: nil, tls_key: nil, insecure: false)
        @address = address.to_s
        @fixed_token = token
        @token_file = token_file
        @ca, @cert, @key = [tls_ca, tls_cert, tls_key].map { |file| file unless file.to_s.empty? }
        @insecure = insecure
        check
      end

      # @return [String] the bearer token, read now; empty if there is none
      def token
        @token_file.to_s.empty? ? @fixed_token.to_s : read(@token_file, "token").strip
      end

      # @return [Array(String, String, String), nil] PEM of authority, key and certificate, read now; nil for plaintext
      def tls
        return unless tls?

        [@ca ? read(@ca, "TLS authority") : system_authorities,
         *([read(@key, "TLS key"), read(@cert, "TLS certificate")] if @cert)]
      end

      def loopback?
        return true if @address.start_with?("unix:")

        name = @tcp[:ip6] || @tcp[:name]
        name == "localhost" || IPAddr.new(name).loopback?
      rescue IPAddr::Error
        false
      end

      private

      def tls? = [@ca, @cert, @key].any? || !(loopback? || @insecure)

      def check
        if @address.empty?
          raise UsageError, "no address of an activity host: give host: or --host, or set PYFLOW_HOST_ADDRESS " \
                            "(unix:/path or name:port)"
        end
        @tcp = TCP.match(@address)
        unless @tcp || @address.match?(%r{\Aunix:/})
          raise UsageError, "'#{@address}' is no address of a host: write unix:/path, name:7233 or [::1]:7233"
        end

        if @cert.nil? != @key.nil?
          raise UsageError,
                "the worker's own certificate needs both its file and its key's file"
        end

        token
        tls
      end

      def read(file, what)
        File.read(file)
      rescue SystemCallError => e
        raise UsageError, "cannot read the #{what} file #{file}: #{e.message}"
      end

      def system_authorities
        file = SYSTEM_AUTHORITIES.find { |one| File.readable?(one) }
        file && File.read(file)
      end
    end
  end
end
