//go:build !unix

package sqlstore

import "time"

func processorTime() time.Duration { return 0 }
