"""Recording of live runs: logs of tracks and events, and annotated video, for weeks on end."""
