/**
 * Activities for Amazon SWF in Java: no AWS SDK, no credentials, one gRPC stream to a pyflow activity host.
 *
 * <p>Mark methods with {@link dev.pyflow.activity.Activity}, give their object to an
 * {@link dev.pyflow.activity.ActivityWorker}, run it. Inside a method
 * {@link dev.pyflow.activity.ActivityContext#current()} tells about the task;
 * {@link dev.pyflow.activity.FakeActivityContext} stands in for it in tests.
 */
package dev.pyflow.activity;
