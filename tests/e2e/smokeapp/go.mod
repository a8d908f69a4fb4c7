module slipway.invalid/smokeapp

go 1.24
