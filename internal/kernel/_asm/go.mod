module github.com/spamoe/spamoe/internal/kernel/_asm

go 1.26.0
