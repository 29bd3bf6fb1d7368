package writers

// Completion is the condition of a request whose pipelines have completed.
type Completion struct{ Type, Reason, Message string }

// PipelineCompleted returns the condition of versions of Kratix that could run only one pipeline.
func PipelineCompleted() Completion {
	return Completion{Type: "PipelineCompleted", Reason: "PipelineExecutedSuccessfully", Message: "Pipeline completed"}
}

// ConfigureWorkflowCompleted returns the condition of later versions of Kratix.
func ConfigureWorkflowCompleted() Completion {
	return Completion{Type: "ConfigureWorkflowCompleted", Reason: "PipelinesExecutedSuccessfully", Message: "Pipelines completed"}
}

func (c Completion) condition() map[string]any {
	return map[string]any{"type": c.Type, "status": "True", "reason": c.Reason, "message": c.Message}
}
