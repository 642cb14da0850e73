/** Turns whatever a request ran into into the one error shape of `faults.ts`. Only bugs are logged, with their stack. */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import type { Logger } from "pino";
import { isOutage } from "../redis/outage.ts";
import { type FaultBody, Refused } from "./faults.ts";
import { reasonOf } from "./reasons.ts";

export function refuse(
  app: {
    setErrorHandler: (
      handler: (error: unknown, request: FastifyRequest, reply: FastifyReply) => unknown,
    ) => unknown;
    setNotFoundHandler: (
      handler: (request: FastifyRequest, reply: FastifyReply) => unknown,
    ) => unknown;
  },
  log: Logger,
): void {
  app.setErrorHandler((error, request, reply) => {
    const refused = asRefused(error, request);
    if (refused !== undefined) return send(reply, refused);
    log.error(
      { err: error, route: request.routeOptions.url, method: request.method },
      "a request met a bug",
    );
    return send(reply, new Refused("bug"));
  });
  app.setNotFoundHandler((request, reply) =>
    send(reply, new Refused("noPath", { path: request.url.split("?")[0] })),
  );
}

function send(reply: FastifyReply, { status, body, retryAfterSeconds }: Refused): FastifyReply {
  if (status === 401) reply.header("www-authenticate", "Bearer");
  if (retryAfterSeconds !== undefined) reply.header("retry-after", retryAfterSeconds);
  return reply
    .code(status)
    .type("application/json; charset=utf-8")
    .serializer(JSON.stringify)
    .send(body satisfies FaultBody);
}

function asRefused(error: unknown, request: FastifyRequest): Refused | undefined {
  if (error instanceof Refused) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation;
    return first === undefined ? undefined : wrongField(first, error.validationContext ?? "body");
  }
  if (isOutage(error)) return new Refused("redisDown");
  const { statusCode = 500, message } = error as FastifyError;
  if (statusCode === 413) return new Refused("tooLarge");
  if (statusCode === 415) return new Refused("wrongType", { types: typesOf(request) });
  if (statusCode >= 400 && statusCode < 500)
    return new Refused("badJson", { field: "body", reason: message });
  return undefined;
}

const typesOf = (request: FastifyRequest): string =>
  request.routeOptions.url?.endsWith("/import") === true ? "text/csv" : "application/json";

interface ZodProblem {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The first wrong field by its path and the reason; an unknown field is named itself. */
function wrongField(problem: ZodProblem, where: string): Refused {
  const path = problem.instancePath.split("/").filter(Boolean);
  const [unknown] = (problem.params["keys"] as string[] | undefined) ?? [];
  if (unknown !== undefined)
    return new Refused("wrongBody", {
      field: [...path, unknown].join("."),
      reason: "is not a field of this call",
      reasonZh: "不是此接口的字段",
    });
  const field = path.join(".") || where;
  const issue = {
    ...problem.params,
    code: problem.keyword,
    message: problem.message ?? "is wrong",
  };
  return new Refused("wrongBody", { field, ...reasonOf(issue) });
}
