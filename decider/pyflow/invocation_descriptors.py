"""2.0.0's module name for the descriptors."""

from pyflow.descriptors import ActivityDescriptor, ChildWorkflowDescriptor, LambdaDescriptor

__all__ = ["ActivityDescriptor", "ChildWorkflowDescriptor", "LambdaDescriptor"]
