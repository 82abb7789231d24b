"""Plants as files for other people's tools: what is read here is a plant and nothing of any platform."""
