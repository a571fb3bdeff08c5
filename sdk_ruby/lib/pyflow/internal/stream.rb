# frozen_string_literal: true

# One gRPC stream to a host.

require_relative "grpc"

module Pyflow
  module Internal
    # A channel of its own with one call on it.
    class Stream
      # The stream ended, for whatever reason.
      class Broken < Error; end

      # @param access [HostAccess]
      # @param frames [#each] yields WorkerFrames in gRPC's writing thread until there are no more
      def initialize(access, frames)
        @channel, @stub = Grpc.connect(access)
        @frames = frames
        @lock = Mutex.new
      end

      # Reads until the host ends the stream.
      #
      # @yield [PyflowApi::V1::HostFrame]
      # @raise [Broken] unless the host ended it with OK
      def each_frame(&)
        operation = @stub.work(@frames, return_op: true, &)
        @lock.synchronize { @operation = operation }
        operation.execute
      rescue GRPC::BadStatus => e
        raise Broken, e.details.to_s.empty? ? "gRPC status #{e.code}" : e.details
      rescue GRPC::Core::CallError, Google::Protobuf::ParseError => e
        raise Broken, e.message
      end

      # @return [Boolean] whether the host has ended the stream. {#each_frame} may not know: after an OK it waits for
      #   the writing thread, which waits for frames.
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
