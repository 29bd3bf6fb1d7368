package writers

// Completion is the condition by which a request says that its pipelines are done.
type Completion struct{ Type, Reason, Message string }

// PipelineCompleted is the condition that requests have in Kratix's workshops, and
// had in Kratix before it could run several pipelines.
func PipelineCompleted() Completion {
	return Completion{Type: "PipelineCompleted", Reason: "PipelineExecutedSuccessfully", Message: "Pipeline completed"}
}

// ConfigureWorkflowCompleted is the condition that Kratix waits for since then.
func ConfigureWorkflowCompleted() Completion {
	return Completion{Type: "ConfigureWorkflowCompleted", Reason: "PipelinesExecutedSuccessfully", Message: "Pipelines completed"}
}

// condition is the completion as a request's status has it.
func (c Completion) condition() map[string]any {
	return map[string]any{"type": c.Type, "status": "True", "reason": c.Reason, "message": c.Message}
}
