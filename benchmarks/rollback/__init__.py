"""A release that fails its users: how long, under Slipway, Argo Rollouts and Flagger."""
