# frozen_string_literal: true

# One gRPC stream to a host. The only file that loads gRPC, and only in the process that runs a worker.

require "grpc"
require "pyflow_api/v1/activity_host_services_pb"

module Pyflow
  module Internal
    # A channel of its own with one call on it.
    class Stream
      # The stream ended, for whatever reason.
      class Broken < Error; end

      # Limits.frame_bytes_max is 4 MiB; a host that allows more says so only after the stream is open.
      FRAME_BYTES_IN_MAX = 64 * 1024 * 1024
      CHANNEL_ARGUMENTS = {
        "grpc.max_receive_message_length" => FRAME_BYTES_IN_MAX,
        "grpc.max_send_message_length" => -1,
        # gRPC shares connections and their back-off between channels otherwise; the back-off is ours.
        "grpc.use_local_subchannel_pool" => 1,
        # Pings are the contract's own. HTTP/2 ones on top make servers hang up ("too many pings").
        "grpc.keepalive_permit_without_calls" => 0
      }.freeze
      NO_PROXY = { "grpc.enable_http_proxy" => 0 }.freeze

      # @param access [HostAccess]
      # @param frames [#each] yields WorkerFrames in gRPC's writing thread until there are no more
      def initialize(access, frames)
        credentials = access.tls ? GRPC::Core::ChannelCredentials.new(*access.tls) : :this_channel_is_insecure
        arguments = access.loopback? ? CHANNEL_ARGUMENTS.merge(NO_PROXY) : CHANNEL_ARGUMENTS
        @channel = GRPC::Core::Channel.new(access.address, arguments, credentials)
        @stub = PyflowApi::V1::ActivityHostService::Stub.new(access.address, credentials, channel_override: @channel)
        @frames = frames
        @lock = Mutex.new
      end

      # Reads until the host ends the stream.
      #
      # @yield [PyflowApi::V1::HostFrame]
      # @raise [Broken] unless the host ended it with OK
      def each_frame(&block)
        operation = @stub.work(@frames, return_op: true, &block)
        @lock.synchronize { @operation = operation }
        operation.execute
      rescue GRPC::BadStatus => e
        raise Broken, e.details.to_s.empty? ? "gRPC status #{e.code}" : e.details
      rescue GRPC::Core::CallError, Google::Protobuf::ParseError => e
        raise Broken, e.message
      end

      # @return [Boolean] whether the host has ended the stream. {#each_frame} may not know: after an OK it waits for the
      #   writing thread, which waits for frames.
      def over? = !@lock.synchronize { @operation }&.status.nil?

      # Ends the stream from any thread, stalled or not.
      def cancel = @lock.synchronize { @operation }&.cancel

      # Releases the connection.
      def close
        cancel
        @channel.close
      end
    end
  end
end
