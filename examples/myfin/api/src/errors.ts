import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

export type Detail = { readonly path: string; readonly message: string };

/** What a caller may see: an HTTP status, a stable code for programs and a sentence for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: readonly Detail[] | undefined;

  constructor(status: number, code: string, message: string, details?: readonly Detail[]) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export const notFound = (what: string): ApiError => new ApiError(404, 'not_found', what);

export const unavailable = (what: string): ApiError => new ApiError(503, 'unavailable', what);

/** Returns the validated input, or throws a 400 that names each bad field. */
export function parse<T extends z.ZodType>(
  schema: T,
  input: unknown,
  where: 'body' | 'query',
): z.output<T> {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map((issue) => ({
    path: [where, ...issue.path].join('.'),
    message: issue.message,
  }));
  const first = details[0];
  const sentence = first === undefined ? 'bad request' : `${first.path}: ${first.message}`;
  throw new ApiError(400, 'validation_failed', sentence, details);
}

const DATABASE_AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'PROTOCOL_CONNECTION_LOST',
]);

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { code, statusCode, message } = error as Partial<FastifyError>;
  if (code !== undefined && DATABASE_AWAY.has(code)) {
    return unavailable('the database does not answer; try again in a moment');
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiError(statusCode, codeOf(statusCode), message ?? 'bad request');
  }
  return new ApiError(500, 'internal', 'something went wrong on our side');
}

function codeOf(status: number): string {
  const names: Record<number, string> = {
    400: 'bad_request',
    413: 'body_too_large',
    415: 'unsupported_media_type',
  };
  return names[status] ?? 'bad_request';
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = toApiError(error);
  if (known.status >= 500) request.log.error({ err: error }, known.message);
  if (known.status === 503) reply.header('retry-after', '1');
  reply.status(known.status).send({
    error: {
      code: known.code,
      message: known.message,
      ...(known.details === undefined ? {} : { details: known.details }),
    },
  });
}
