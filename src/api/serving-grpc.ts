/** Who speaks gRPC with the clients: the member's own process, or front ends. */
import { FrontEnds, type FrontEndsOptions } from './front-ends/front-ends';
import type { GrpcSide } from './grpc-side';
import { InProcessGrpc } from './in-process-grpc';

/** `count` front ends; with 0 the member's own process does it. */
export function servingGrpc(options: FrontEndsOptions): GrpcSide {
  return options.count === 0 ? new InProcessGrpc(options) : new FrontEnds(options);
}
