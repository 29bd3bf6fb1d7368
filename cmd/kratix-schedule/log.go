package main

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

func logger(flags followFlags, std streams) (*zap.Logger, zap.AtomicLevel, error) {
	level, err := zap.ParseAtomicLevel(flags.logLevel)
	if err != nil {
		return nil, level, fmt.Errorf("--log-level %q is not known: use debug, info, warn or error", flags.logLevel)
	}
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.RFC3339TimeEncoder
	encoders := map[string]zapcore.Encoder{
		"json":    printableEncoder{zapcore.NewJSONEncoder(config)},
		"console": lineEncoder{printableEncoder{zapcore.NewConsoleEncoder(config)}},
	}
	encoder, ok := encoders[flags.logFormat]
	if !ok {
		return nil, level, fmt.Errorf("--log-format %q is not known: use json or console", flags.logFormat)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(std.err)), level)), level, nil
}

// printableEncoder is an encoder that escapes characters that zap's encoders leave unescaped.
type printableEncoder struct{ zapcore.Encoder }

func (e printableEncoder) Clone() zapcore.Encoder { return printableEncoder{e.Encoder.Clone()} }

func (e printableEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	line, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil {
		return nil, err
	}
	shown := printable.JSON(line.Bytes())
	if len(shown) != line.Len() {
		line.Reset()
		line.AppendBytes(shown)
	}
	return line, nil
}

// lineEncoder is an encoder that escapes the message in the console format.
type lineEncoder struct{ zapcore.Encoder }

func (e lineEncoder) Clone() zapcore.Encoder { return lineEncoder{e.Encoder.Clone()} }

func (e lineEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	entry.Message = printable.Line(entry.Message)
	return e.Encoder.EncodeEntry(entry, fields)
}
