/** Everything of etcd's API that is not gRPC: probes, metrics and the JSON gateway, over HTTP/1.1. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FileRegistry } from '@bufbuild/protobuf';
import type { MetricsPage } from '../../../base/metrics';
import type { UnaryCalls } from '../../unary-calls';
import type { JsonGateway } from './json-gateway';
import { probe, type ProbeDependencies } from './probes';
import { reply, replyJson, replyText } from './replies';

/** What the HTTP side of a listener is made of. */
export interface HttpApiOptions {
  readonly probes: ProbeDependencies;
  readonly metrics: MetricsPage;
  /** The messages and services of the API. */
  readonly protos: () => Promise<FileRegistry>;
  /** Told of what nobody expected. */
  readonly calls: Pick<UnaryCalls, 'statusOf'>;
}

/** Bounds of a connection, milliseconds. Answers may take as long as they like: a watch has no end. */
const httpLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
} as const;

/** Takes connections of HTTP/1.1. */
export class HttpApi {
  readonly #options: HttpApiOptions;
  readonly #server: Server;
  #socketPath: string | undefined;
  /** Made at the first call: loading what it needs would take a tenth of a member's start. */
  #gateway: Promise<JsonGateway> | undefined;

  constructor(options: HttpApiOptions) {
    this.#options = options;
    this.#server = createServer(httpLimits, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        options.calls.statusOf(error);
        response.destroy();
      });
    });
    // It never listens, and knows its connections and looks after their timeouts only once it does.
    this.#server.emit('listening');
  }

  /** Opens the JSON gateway. @param path the socket where this member's own gRPC API is reached */
  start(path: string): void {
    this.#socketPath = path;
  }

  take(socket: Socket): void {
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** Ends what is under way. */
  stop(): void {
    this.#server.closeAllConnections();
    void this.#gateway?.then((gateway) => {
      gateway.close();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    if (!URL.canParse(path, base)) {
      replyText(response, 400, 'the request names no path\n');
      return;
    }
    const url = new URL(path, base);
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (url.pathname === '/metrics') {
        const { metrics } = this.#options;
        reply(response, { status: 200, contentType: metrics.contentType, body: await metrics.read() });
        return;
      }
      const answer = await probe(this.#options.probes, url);
      if (answer?.type === 'json') replyJson(response, answer.status, answer.body);
      else replyText(response, answer?.status ?? 404, answer?.body ?? notFound);
      return;
    }
    const gateway = await this.#openGateway();
    const isAnswered = await gateway?.answer(url.pathname, request, response);
    if (isAnswered !== true) replyText(response, 404, notFound);
  }

  async #openGateway(): Promise<JsonGateway | undefined> {
    const path = this.#socketPath;
    if (path === undefined) return undefined;
    this.#gateway ??= import('./json-gateway.js').then(
      (loaded) => new loaded.JsonGateway(this.#options.protos, `unix:${path}`),
    );
    return this.#gateway;
  }
}

/** Only the path and the query of an address count. */
const base = 'http://member';

const notFound = '404 page not found\n';
