/** The HTTP side put together: checks from zod schemas, one error shape, OpenAPI from the same schemas, every resource. */
import fastifySwagger from "@fastify/swagger";
import fastifySwaggerUi from "@fastify/swagger-ui";
import { fastify } from "fastify";
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from "fastify-type-provider-zod";
import { createProxies } from "../proxies.ts";
import type { App, Desk } from "./desk.ts";
import { couponRoutes } from "./coupons.ts";
import { dropChangeRoutes } from "./drop-changes.ts";
import { dropRoutes } from "./drops.ts";
import { Refused } from "./faults.ts";
import { healthRoutes } from "./health.ts";
import { tokenRoutes } from "./join-tokens.ts";
import { commentRoutes } from "./comments.ts";
import { ledgerKeyRoute, ledgerRoutes } from "./ledger.ts";
import { metricRoutes } from "./metrics.ts";
import { moderationRoutes } from "./moderation.ts";
import { opsRoutes } from "./ops.ts";
import { orderRoutes } from "./orders.ts";
import { paymentRoutes, providerRoutes } from "./payments.ts";
import { pageRoutes, SAFE_HEADERS } from "./pages.ts";
import { pinRoutes } from "./pins.ts";
import { productRoutes } from "./products.ts";
import { hasShow } from "./reading.ts";
import { refuse } from "./refusing.ts";
import { showRoutes } from "./shows.ts";
import { webhookRoutes } from "./webhooks.ts";

const MAX_BODY_BYTES = 64 * 1024;
const MAX_REQUEST_MS = 30_000;

/** @param version of this server, for the documents */
export async function buildApp(desk: Desk, version: string): Promise<App> {
  const app: App = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: MAX_REQUEST_MS,
    forceCloseConnections: true,
    trustProxy: createProxies(desk.config.trustProxy).isTrusted,
    routerOptions: { maxParamLength: 100, ignoreTrailingSlash: true },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  refuse(app, desk.log);
  readBodies(app);
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(SAFE_HEADERS);
  });
  await addDocuments(app, version);
  healthRoutes(app, desk);
  metricRoutes(app, desk);
  showRoutes(app, desk);
  await app.register(
    async (ofShow: App) => {
      // The steps behind these routes take it for granted that the show is there.
      ofShow.addHook("preHandler", async (request) => {
        const { show } = request.params as { show: string };
        if (!(await hasShow(desk.redis, show))) throw new Refused("noShow", { show });
      });
      for (const add of [
        productRoutes,
        pinRoutes,
        dropRoutes,
        dropChangeRoutes,
        couponRoutes,
        orderRoutes,
        paymentRoutes,
        ledgerRoutes,
        commentRoutes,
        tokenRoutes,
        moderationRoutes,
      ])
        add(ofShow, desk);
    },
    { prefix: "/v1/shows/:show" },
  );
  webhookRoutes(app, desk);
  await providerRoutes(app, desk);
  ledgerKeyRoute(app, desk);
  opsRoutes(app, desk);
  await pageRoutes(app, desk, version);
  return app;
}

function readBodies(app: App): void {
  const readJson = app.getDefaultJsonParser("error", "error");
  // Some clients name a type even where they send nothing, as with POST …/start.
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") done(null, undefined);
    else void readJson(request, body as string, done);
  });
  app.addContentTypeParser("text/csv", { parseAs: "string" }, (_request, body, done) =>
    done(null, body),
  );
}

async function addDocuments(app: App, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Dropcast",
        version,
        description:
          "Shows, products, drops, orders and join tokens. Times are Unix milliseconds by Redis TIME, money is in cents.",
      },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "The admin key, or a join token" },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(fastifySwaggerUi, {
    routePrefix: "/docs",
    staticCSP:
      "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'self'",
  });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
}
