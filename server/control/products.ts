/** `/v1/shows/:show/products`: the show's bag. Stock here are the units that no drop has been given. */
import type { Product as WireProduct } from "#wire";
import { z } from "zod";
import { showKeys } from "../redis/keys.ts";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { readProducts } from "./reading.ts";
import { readProductLines } from "./product-csv.ts";
import {
  ADMIN,
  ChangedProduct,
  NewProduct,
  Product,
  REFUSALS,
  ShowParams,
  SKU,
} from "./schemas.ts";

/** The snapshot that viewers get has room for so many. */
const MAX_PRODUCTS = 5000;
const MAX_CSV_BYTES = 4 * 1024 * 1024;
/** Lines written side by side. */
const MAX_TOGETHER = 200;

export function productRoutes(app: App, { redis, shows, access }: Desk): void {
  const onRequest = access.only("host");
  const hasRoomFor = async (show: string, fresh: readonly string[]): Promise<void> => {
    if (fresh.length === 0) return;
    const { products } = showKeys(show);
    const known = await redis.hmget(products, ...fresh);
    const added = known.filter((json) => json === null).length;
    if (added > 0 && (await redis.hlen(products)) + added > MAX_PRODUCTS)
      throw new Refused("bagFull", { most: MAX_PRODUCTS });
  };

  app.post(
    "/products",
    {
      onRequest,
      schema: {
        tags: ["products"],
        summary: "Add a product",
        security: ADMIN,
        params: ShowParams,
        body: NewProduct,
        response: { 201: Product, ...REFUSALS },
      },
    },
    async ({ params: { show }, body }, reply) => {
      await hasRoomFor(show, [body.sku]);
      if ((await shows.addProduct(show, body)) === "exists")
        throw new Refused("productExists", { sku: body.sku, field: "sku" });
      return reply.code(201).send(body);
    },
  );
  app.put(
    "/products/:sku",
    {
      onRequest,
      schema: {
        tags: ["products"],
        summary: "Add or replace a product",
        security: ADMIN,
        params: ShowParams.extend({ sku: SKU }),
        body: ChangedProduct,
        response: { 200: Product, 201: Product, ...REFUSALS },
      },
    },
    async ({ params: { show, sku }, body }, reply) => {
      await hasRoomFor(show, [sku]);
      const product = { sku, ...body };
      const answer = await shows.putProduct(show, product);
      return reply.code(answer === "added" ? 201 : 200).send(product);
    },
  );
  app.get(
    "/products",
    {
      schema: {
        tags: ["products"],
        summary: "The bag",
        params: ShowParams,
        response: { 200: z.object({ products: z.array(Product) }), ...REFUSALS },
      },
    },
    async ({ params: { show } }) => ({ products: await readProducts(redis, show) }),
  );
  app.post(
    "/products/import",
    {
      onRequest,
      bodyLimit: MAX_CSV_BYTES,
      schema: {
        tags: ["products"],
        summary:
          "Add or replace products from CSV (sku, title, price or priceCents, stock, imageUrl, category, restock): all lines or none",
        consumes: ["text/csv"],
        security: ADMIN,
        params: ShowParams,
        body: z.string(),
        response: {
          200: z.object({ added: z.int(), changed: z.int(), same: z.int() }),
          ...REFUSALS,
        },
      },
    },
    async ({ params: { show }, body }) => {
      const { products, problems } = readProductLines(body);
      if (problems.length > 0) {
        const [{ line, field, reason } = { line: 1, field: "file", reason: "" }] = problems;
        throw new Refused(
          "badCsv",
          { count: problems.length, field, reason: `line ${line}: ${reason}` },
          problems,
        );
      }
      await hasRoomFor(
        show,
        products.map((p) => p.sku),
      );
      return putAll(show, products);
    },
  );

  /** Only a crash can stop it half-way; sending the file again then finishes it. */
  const putAll = async (show: string, products: readonly WireProduct[]) => {
    const counts = { added: 0, changed: 0, same: 0 };
    for (let i = 0; i < products.length; i += MAX_TOGETHER) {
      const batch = products.slice(i, i + MAX_TOGETHER);
      for (const answer of await Promise.all(batch.map((p) => shows.putProduct(show, p))))
        counts[answer]++;
    }
    return counts;
  };
}
