/**
 * Shapes of the HTTP API that more than one resource uses. Requests are strict: a misspelt field is an error, not a default.
 * A message of ours is "English｜中文".
 */
import { z } from "zod";

const id = () =>
  z
    .string()
    .regex(
      /^[A-Za-z0-9_-]{1,40}$/,
      "must be 1 to 40 of A-Z a-z 0-9 _ -｜须为 1 至 40 个字母、数字、_ 或 -",
    );
export const SHOW_ID = id();
export const VIEWER_ID = id();
export const DROP_ID = id();
export const SKU = z
  .string()
  .regex(
    /^[A-Za-z0-9._-]{1,40}$/,
    "must be 1 to 40 of A-Z a-z 0-9 . _ -｜须为 1 至 40 个字母、数字、.、_ 或 -",
  );
export const TITLE = z.string().trim().min(1).max(120);
/** A hundred million in the currency's main unit: 99 of them still count exactly. */
export const CENTS = z.int().min(0).max(10_000_000_000);
export const UNITS = z.int().min(0).max(10_000_000);
export const AT_MS = z.int().min(0).describe("Unix time in milliseconds");

export const ShowParams = z.object({ show: SHOW_ID });

export const Product = z.object({
  sku: SKU,
  title: TITLE,
  priceCents: CENTS,
  stock: UNITS.describe("units that no drop has been given"),
  imageUrl: z
    .string()
    .max(500)
    .regex(
      /^(https?:\/\/\S+|\/[^/\s]\S*|)$/,
      "must be http(s):// or a path of this server｜须为 http(s):// 地址或本站路径",
    )
    .default(""),
  category: z.string().trim().max(40).default(""),
  restock: z
    .enum(["drop", "product", "none"])
    .optional()
    .describe("where units of an order that was taken back go; default: product"),
});
export const NewProduct = z.strictObject(Product.shape);
export const ChangedProduct = NewProduct.omit({ sku: true });

/** Lines of a wrong file have `problems`. */
const ErrorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    messageZh: z.string(),
    field: z.string().optional(),
    reason: z.string().optional(),
    problems: z
      .array(z.object({ line: z.int(), field: z.string(), reason: z.string() }))
      .optional(),
  }),
});

/** What every route may answer besides its own. */
export const REFUSALS = { "4xx": ErrorBody, "5xx": ErrorBody } as const;
export const ADMIN = [{ bearer: [] }] as const;
