module slipway/lab/pause

go 1.25.0
