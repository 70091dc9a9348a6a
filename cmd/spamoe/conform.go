package main

import (
	"context"
	"fmt"

	"github.com/spamoe/spamoe/internal/conform"
)

const conformHelp = `
Runs every golden case below DIR: a folder with a case.json that names an operation, its configuration and tolerances, with
weights, inputs, outputs and gradients of the reference implementation beside it. Prints a line per case, then how many
passed, failed and were skipped; a case is skipped where the operation is not built. The exit status is 1 if any failed.`

func conformance(ctx context.Context, env *environment, args []string) error {
	f := newFlags("conform", "DIR", conformHelp)
	bf16 := f.Bool("bf16", false, "run networks on products of bfloat16 and print how far they are off, instead of comparing with tolerances")
	if err := f.parse(env, args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return misuse("%d arguments; wanted one folder", f.NArg())
	}
	passed, failed, skipped, err := conform.RunAll(ctx, f.Arg(0), conform.Options{BFloat16: *bf16}, func(r conform.Result) {
		line := fmt.Sprintf("%-7s %s (%s)", r.Status, r.Name, r.Op)
		if r.Detail != "" {
			line += ": " + r.Detail
		}
		fmt.Fprintln(env.stdout, line)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed", failed, passed+failed+skipped)
	}
	return nil
}
