# frozen_string_literal: true

# Connections to a host. The only file that loads gRPC: it is required late, in the process that speaks, after any fork.

# gRPC's core would write a line of its own for each failed attempt; what it knows is in our one line, too.
ENV["GRPC_VERBOSITY"] ||= "NONE"

require "grpc"
require "pyflow_api/v1/activity_host_services_pb"

module Pyflow
  module Internal
    # gRPC as this SDK wants it.
    module Grpc
      # Limits.frame_bytes_max is 4 MiB; a host that allows more says so only after the stream is open.
      FRAME_BYTES_IN_MAX = 64 * 1024 * 1024
      CHANNEL_ARGUMENTS = {
        "grpc.max_receive_message_length" => FRAME_BYTES_IN_MAX,
        "grpc.max_send_message_length" => -1,
        # gRPC shares connections and their back-off between channels otherwise; the back-off is ours. There are no
        # HTTP/2 keepalives: the contract has its own pings, and servers hang up on others ("too many pings").
        "grpc.use_local_subchannel_pool" => 1
      }.freeze
      # A proxy of the environment must not see what goes to this very machine.
      LOOPBACK_ARGUMENTS = CHANNEL_ARGUMENTS.merge("grpc.enable_http_proxy" => 0).freeze

      # @param access [HostAccess]
      # @return [Array(GRPC::Core::Channel, PyflowApi::V1::ActivityHostService::Stub)] a fresh connection
      def self.connect(access)
        tls = access.tls
        credentials = tls ? GRPC::Core::ChannelCredentials.new(*tls) : :this_channel_is_insecure
        channel = GRPC::Core::Channel.new(access.address, access.loopback? ? LOOPBACK_ARGUMENTS : CHANNEL_ARGUMENTS,
                                          credentials)
        [channel, PyflowApi::V1::ActivityHostService::Stub.new(access.address, credentials, channel_override: channel)]
      end
    end
  end
end
