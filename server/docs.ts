/** `npm run docs`: writes client-sdk/PROTOCOL.md from the wire's tables. */
import { writeFileSync } from "node:fs";
import { protocolDocument } from "../client-sdk/protocol/document.ts";

writeFileSync(new URL("../client-sdk/PROTOCOL.md", import.meta.url), protocolDocument());
