package rest

import (
	"context"
)

func (s *Server) planBundle(ctx context.Context, q *Request) (*act, error) { return nil, errAddress }
