package dev.pyflow.api.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Takes activity tasks from Amazon SWF and hands them to workers, who need no AWS SDK and no credentials.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class ActivityHostServiceGrpc {

  private ActivityHostServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "pyflow_api.v1.ActivityHostService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<dev.pyflow.api.v1.WorkerFrame,
      dev.pyflow.api.v1.HostFrame> getWorkMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Work",
      requestType = dev.pyflow.api.v1.WorkerFrame.class,
      responseType = dev.pyflow.api.v1.HostFrame.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<dev.pyflow.api.v1.WorkerFrame,
      dev.pyflow.api.v1.HostFrame> getWorkMethod() {
    io.grpc.MethodDescriptor<dev.pyflow.api.v1.WorkerFrame, dev.pyflow.api.v1.HostFrame> getWorkMethod;
    if ((getWorkMethod = ActivityHostServiceGrpc.getWorkMethod) == null) {
      synchronized (ActivityHostServiceGrpc.class) {
        if ((getWorkMethod = ActivityHostServiceGrpc.getWorkMethod) == null) {
          ActivityHostServiceGrpc.getWorkMethod = getWorkMethod =
              io.grpc.MethodDescriptor.<dev.pyflow.api.v1.WorkerFrame, dev.pyflow.api.v1.HostFrame>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Work"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.pyflow.api.v1.WorkerFrame.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.pyflow.api.v1.HostFrame.getDefaultInstance()))
              .setSchemaDescriptor(new ActivityHostServiceMethodDescriptorSupplier("Work"))
              .build();
        }
      }
    }
    return getWorkMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.pyflow.api.v1.CompleteTaskRequest,
      dev.pyflow.api.v1.CompleteTaskResponse> getCompleteTaskMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CompleteTask",
      requestType = dev.pyflow.api.v1.CompleteTaskRequest.class,
      responseType = dev.pyflow.api.v1.CompleteTaskResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.pyflow.api.v1.CompleteTaskRequest,
      dev.pyflow.api.v1.CompleteTaskResponse> getCompleteTaskMethod() {
    io.grpc.MethodDescriptor<dev.pyflow.api.v1.CompleteTaskRequest, dev.pyflow.api.v1.CompleteTaskResponse> getCompleteTaskMethod;
    if ((getCompleteTaskMethod = ActivityHostServiceGrpc.getCompleteTaskMethod) == null) {
      synchronized (ActivityHostServiceGrpc.class) {
        if ((getCompleteTaskMethod = ActivityHostServiceGrpc.getCompleteTaskMethod) == null) {
          ActivityHostServiceGrpc.getCompleteTaskMethod = getCompleteTaskMethod =
              io.grpc.MethodDescriptor.<dev.pyflow.api.v1.CompleteTaskRequest, dev.pyflow.api.v1.CompleteTaskResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CompleteTask"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.pyflow.api.v1.CompleteTaskRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.pyflow.api.v1.CompleteTaskResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ActivityHostServiceMethodDescriptorSupplier("CompleteTask"))
              .build();
        }
      }
    }
    return getCompleteTaskMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.pyflow.api.v1.RecordTaskProgressRequest,
      dev.pyflow.api.v1.RecordTaskProgressResponse> getRecordTaskProgressMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RecordTaskProgress",
      requestType = dev.pyflow.api.v1.RecordTaskProgressRequest.class,
      responseType = dev.pyflow.api.v1.RecordTaskProgressResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.pyflow.api.v1.RecordTaskProgressRequest,
      dev.pyflow.api.v1.RecordTaskProgressResponse> getRecordTaskProgressMethod() {
    io.grpc.MethodDescriptor<dev.pyflow.api.v1.RecordTaskProgressRequest, dev.pyflow.api.v1.RecordTaskProgressResponse> getRecordTaskProgressMethod;
    if ((getRecordTaskProgressMethod = ActivityHostServiceGrpc.getRecordTaskProgressMethod) == null) {
      synchronized (ActivityHostServiceGrpc.class) {
        if ((getRecordTaskProgressMethod = ActivityHostServiceGrpc.getRecordTaskProgressMethod) == null) {
          ActivityHostServiceGrpc.getRecordTaskProgressMethod = getRecordTaskProgressMethod =
              io.grpc.MethodDescriptor.<dev.pyflow.api.v1.RecordTaskProgressRequest, dev.pyflow.api.v1.RecordTaskProgressResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RecordTaskProgress"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.pyflow.api.v1.RecordTaskProgressRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.pyflow.api.v1.RecordTaskProgressResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ActivityHostServiceMethodDescriptorSupplier("RecordTaskProgress"))
              .build();
        }
      }
    }
    return getRecordTaskProgressMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.pyflow.api.v1.DescribeHostRequest,
      dev.pyflow.api.v1.DescribeHostResponse> getDescribeHostMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DescribeHost",
      requestType = dev.pyflow.api.v1.DescribeHostRequest.class,
      responseType = dev.pyflow.api.v1.DescribeHostResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.pyflow.api.v1.DescribeHostRequest,
      dev.pyflow.api.v1.DescribeHostResponse> getDescribeHostMethod() {
    io.grpc.MethodDescriptor<dev.pyflow.api.v1.DescribeHostRequest, dev.pyflow.api.v1.DescribeHostResponse> getDescribeHostMethod;
    if ((getDescribeHostMethod = ActivityHostServiceGrpc.getDescribeHostMethod) == null) {
      synchronized (ActivityHostServiceGrpc.class) {
        if ((getDescribeHostMethod = ActivityHostServiceGrpc.getDescribeHostMethod) == null) {
          ActivityHostServiceGrpc.getDescribeHostMethod = getDescribeHostMethod =
              io.grpc.MethodDescriptor.<dev.pyflow.api.v1.DescribeHostRequest, dev.pyflow.api.v1.DescribeHostResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DescribeHost"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.pyflow.api.v1.DescribeHostRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  dev.pyflow.api.v1.DescribeHostResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ActivityHostServiceMethodDescriptorSupplier("DescribeHost"))
              .build();
        }
      }
    }
    return getDescribeHostMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ActivityHostServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ActivityHostServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ActivityHostServiceStub>() {
        @java.lang.Override
        public ActivityHostServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ActivityHostServiceStub(channel, callOptions);
        }
      };
    return ActivityHostServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static ActivityHostServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ActivityHostServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ActivityHostServiceBlockingV2Stub>() {
        @java.lang.Override
        public ActivityHostServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ActivityHostServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return ActivityHostServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ActivityHostServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ActivityHostServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ActivityHostServiceBlockingStub>() {
        @java.lang.Override
        public ActivityHostServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ActivityHostServiceBlockingStub(channel, callOptions);
        }
      };
    return ActivityHostServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ActivityHostServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ActivityHostServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ActivityHostServiceFutureStub>() {
        @java.lang.Override
        public ActivityHostServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ActivityHostServiceFutureStub(channel, callOptions);
        }
      };
    return ActivityHostServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Takes activity tasks from Amazon SWF and hands them to workers, who need no AWS SDK and no credentials.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * One stream for each worker process, opened by the worker. See proto/README.md for its rules.
     * buf:lint:ignore RPC_REQUEST_STANDARD_NAME
     * buf:lint:ignore RPC_RESPONSE_STANDARD_NAME
     * </pre>
     */
    default io.grpc.stub.StreamObserver<dev.pyflow.api.v1.WorkerFrame> work(
        io.grpc.stub.StreamObserver<dev.pyflow.api.v1.HostFrame> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getWorkMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reports the outcome of a task from outside a stream: a web hook, a person's click, another process.
     * UNAUTHENTICATED without the host's auth token, where it asks for one (metadata "authorization: Bearer ...").
     * RESOURCE_EXHAUSTED while too many calls wait for SWF: 1,000 of them, or 64 MiB.
     * </pre>
     */
    default void completeTask(dev.pyflow.api.v1.CompleteTaskRequest request,
        io.grpc.stub.StreamObserver<dev.pyflow.api.v1.CompleteTaskResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCompleteTaskMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reports progress from outside a stream and keeps the task alive on SWF. RESOURCE_EXHAUSTED as above.
     * </pre>
     */
    default void recordTaskProgress(dev.pyflow.api.v1.RecordTaskProgressRequest request,
        io.grpc.stub.StreamObserver<dev.pyflow.api.v1.RecordTaskProgressResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRecordTaskProgressMethod(), responseObserver);
    }

    /**
     * <pre>
     * What this host serves and does right now.
     * </pre>
     */
    default void describeHost(dev.pyflow.api.v1.DescribeHostRequest request,
        io.grpc.stub.StreamObserver<dev.pyflow.api.v1.DescribeHostResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDescribeHostMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service ActivityHostService.
   * <pre>
   * Takes activity tasks from Amazon SWF and hands them to workers, who need no AWS SDK and no credentials.
   * </pre>
   */
  public static abstract class ActivityHostServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return ActivityHostServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service ActivityHostService.
   * <pre>
   * Takes activity tasks from Amazon SWF and hands them to workers, who need no AWS SDK and no credentials.
   * </pre>
   */
  public static final class ActivityHostServiceStub
      extends io.grpc.stub.AbstractAsyncStub<ActivityHostServiceStub> {
    private ActivityHostServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ActivityHostServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ActivityHostServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * One stream for each worker process, opened by the worker. See proto/README.md for its rules.
     * buf:lint:ignore RPC_REQUEST_STANDARD_NAME
     * buf:lint:ignore RPC_RESPONSE_STANDARD_NAME
     * </pre>
     */
    public io.grpc.stub.StreamObserver<dev.pyflow.api.v1.WorkerFrame> work(
        io.grpc.stub.StreamObserver<dev.pyflow.api.v1.HostFrame> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getWorkMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * Reports the outcome of a task from outside a stream: a web hook, a person's click, another process.
     * UNAUTHENTICATED without the host's auth token, where it asks for one (metadata "authorization: Bearer ...").
     * RESOURCE_EXHAUSTED while too many calls wait for SWF: 1,000 of them, or 64 MiB.
     * </pre>
     */
    public void completeTask(dev.pyflow.api.v1.CompleteTaskRequest request,
        io.grpc.stub.StreamObserver<dev.pyflow.api.v1.CompleteTaskResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCompleteTaskMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reports progress from outside a stream and keeps the task alive on SWF. RESOURCE_EXHAUSTED as above.
     * </pre>
     */
    public void recordTaskProgress(dev.pyflow.api.v1.RecordTaskProgressRequest request,
        io.grpc.stub.StreamObserver<dev.pyflow.api.v1.RecordTaskProgressResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRecordTaskProgressMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * What this host serves and does right now.
     * </pre>
     */
    public void describeHost(dev.pyflow.api.v1.DescribeHostRequest request,
        io.grpc.stub.StreamObserver<dev.pyflow.api.v1.DescribeHostResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDescribeHostMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service ActivityHostService.
   * <pre>
   * Takes activity tasks from Amazon SWF and hands them to workers, who need no AWS SDK and no credentials.
   * </pre>
   */
  public static final class ActivityHostServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<ActivityHostServiceBlockingV2Stub> {
    private ActivityHostServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ActivityHostServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ActivityHostServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * One stream for each worker process, opened by the worker. See proto/README.md for its rules.
     * buf:lint:ignore RPC_REQUEST_STANDARD_NAME
     * buf:lint:ignore RPC_RESPONSE_STANDARD_NAME
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<dev.pyflow.api.v1.WorkerFrame, dev.pyflow.api.v1.HostFrame>
        work() {
      return io.grpc.stub.ClientCalls.blockingBidiStreamingCall(
          getChannel(), getWorkMethod(), getCallOptions());
    }

    /**
     * <pre>
     * Reports the outcome of a task from outside a stream: a web hook, a person's click, another process.
     * UNAUTHENTICATED without the host's auth token, where it asks for one (metadata "authorization: Bearer ...").
     * RESOURCE_EXHAUSTED while too many calls wait for SWF: 1,000 of them, or 64 MiB.
     * </pre>
     */
    public dev.pyflow.api.v1.CompleteTaskResponse completeTask(dev.pyflow.api.v1.CompleteTaskRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCompleteTaskMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reports progress from outside a stream and keeps the task alive on SWF. RESOURCE_EXHAUSTED as above.
     * </pre>
     */
    public dev.pyflow.api.v1.RecordTaskProgressResponse recordTaskProgress(dev.pyflow.api.v1.RecordTaskProgressRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRecordTaskProgressMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * What this host serves and does right now.
     * </pre>
     */
    public dev.pyflow.api.v1.DescribeHostResponse describeHost(dev.pyflow.api.v1.DescribeHostRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDescribeHostMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service ActivityHostService.
   * <pre>
   * Takes activity tasks from Amazon SWF and hands them to workers, who need no AWS SDK and no credentials.
   * </pre>
   */
  public static final class ActivityHostServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<ActivityHostServiceBlockingStub> {
    private ActivityHostServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ActivityHostServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ActivityHostServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Reports the outcome of a task from outside a stream: a web hook, a person's click, another process.
     * UNAUTHENTICATED without the host's auth token, where it asks for one (metadata "authorization: Bearer ...").
     * RESOURCE_EXHAUSTED while too many calls wait for SWF: 1,000 of them, or 64 MiB.
     * </pre>
     */
    public dev.pyflow.api.v1.CompleteTaskResponse completeTask(dev.pyflow.api.v1.CompleteTaskRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCompleteTaskMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reports progress from outside a stream and keeps the task alive on SWF. RESOURCE_EXHAUSTED as above.
     * </pre>
     */
    public dev.pyflow.api.v1.RecordTaskProgressResponse recordTaskProgress(dev.pyflow.api.v1.RecordTaskProgressRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRecordTaskProgressMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * What this host serves and does right now.
     * </pre>
     */
    public dev.pyflow.api.v1.DescribeHostResponse describeHost(dev.pyflow.api.v1.DescribeHostRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDescribeHostMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service ActivityHostService.
   * <pre>
   * Takes activity tasks from Amazon SWF and hands them to workers, who need no AWS SDK and no credentials.
   * </pre>
   */
  public static final class ActivityHostServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<ActivityHostServiceFutureStub> {
    private ActivityHostServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ActivityHostServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ActivityHostServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Reports the outcome of a task from outside a stream: a web hook, a person's click, another process.
     * UNAUTHENTICATED without the host's auth token, where it asks for one (metadata "authorization: Bearer ...").
     * RESOURCE_EXHAUSTED while too many calls wait for SWF: 1,000 of them, or 64 MiB.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.pyflow.api.v1.CompleteTaskResponse> completeTask(
        dev.pyflow.api.v1.CompleteTaskRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCompleteTaskMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Reports progress from outside a stream and keeps the task alive on SWF. RESOURCE_EXHAUSTED as above.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.pyflow.api.v1.RecordTaskProgressResponse> recordTaskProgress(
        dev.pyflow.api.v1.RecordTaskProgressRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRecordTaskProgressMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * What this host serves and does right now.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.pyflow.api.v1.DescribeHostResponse> describeHost(
        dev.pyflow.api.v1.DescribeHostRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDescribeHostMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_COMPLETE_TASK = 0;
  private static final int METHODID_RECORD_TASK_PROGRESS = 1;
  private static final int METHODID_DESCRIBE_HOST = 2;
  private static final int METHODID_WORK = 3;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_COMPLETE_TASK:
          serviceImpl.completeTask((dev.pyflow.api.v1.CompleteTaskRequest) request,
              (io.grpc.stub.StreamObserver<dev.pyflow.api.v1.CompleteTaskResponse>) responseObserver);
          break;
        case METHODID_RECORD_TASK_PROGRESS:
          serviceImpl.recordTaskProgress((dev.pyflow.api.v1.RecordTaskProgressRequest) request,
              (io.grpc.stub.StreamObserver<dev.pyflow.api.v1.RecordTaskProgressResponse>) responseObserver);
          break;
        case METHODID_DESCRIBE_HOST:
          serviceImpl.describeHost((dev.pyflow.api.v1.DescribeHostRequest) request,
              (io.grpc.stub.StreamObserver<dev.pyflow.api.v1.DescribeHostResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_WORK:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.work(
              (io.grpc.stub.StreamObserver<dev.pyflow.api.v1.HostFrame>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getWorkMethod(),
          io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
            new MethodHandlers<
              dev.pyflow.api.v1.WorkerFrame,
              dev.pyflow.api.v1.HostFrame>(
                service, METHODID_WORK)))
        .addMethod(
          getCompleteTaskMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.pyflow.api.v1.CompleteTaskRequest,
              dev.pyflow.api.v1.CompleteTaskResponse>(
                service, METHODID_COMPLETE_TASK)))
        .addMethod(
          getRecordTaskProgressMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.pyflow.api.v1.RecordTaskProgressRequest,
              dev.pyflow.api.v1.RecordTaskProgressResponse>(
                service, METHODID_RECORD_TASK_PROGRESS)))
        .addMethod(
          getDescribeHostMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.pyflow.api.v1.DescribeHostRequest,
              dev.pyflow.api.v1.DescribeHostResponse>(
                service, METHODID_DESCRIBE_HOST)))
        .build();
  }

  private static abstract class ActivityHostServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    ActivityHostServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return dev.pyflow.api.v1.ActivityHostProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("ActivityHostService");
    }
  }

  private static final class ActivityHostServiceFileDescriptorSupplier
      extends ActivityHostServiceBaseDescriptorSupplier {
    ActivityHostServiceFileDescriptorSupplier() {}
  }

  private static final class ActivityHostServiceMethodDescriptorSupplier
      extends ActivityHostServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    ActivityHostServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (ActivityHostServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new ActivityHostServiceFileDescriptorSupplier())
              .addMethod(getWorkMethod())
              .addMethod(getCompleteTaskMethod())
              .addMethod(getRecordTaskProgressMethod())
              .addMethod(getDescribeHostMethod())
              .build();
        }
      }
    }
    return result;
  }
}
