package main

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logger writes to standard error; its level can be changed while it is in use.
func logger(flags followFlags, std streams) (*zap.Logger, zap.AtomicLevel, error) {
	level, err := zap.ParseAtomicLevel(flags.logLevel)
	if err != nil {
		return nil, level, fmt.Errorf("--log-level %q is not known: use debug, info, warn or error", flags.logLevel)
	}
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.RFC3339TimeEncoder
	encoders := map[string]zapcore.Encoder{"json": zapcore.NewJSONEncoder(config), "console": zapcore.NewConsoleEncoder(config)}
	encoder, ok := encoders[flags.logFormat]
	if !ok {
		return nil, level, fmt.Errorf("--log-format %q is not known: use json or console", flags.logFormat)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(std.err)), level)), level, nil
}
