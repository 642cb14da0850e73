/**
 * The key pair that signs this installation's ledgers (Ed25519, RFC 8032), made at first use: `DATA_DIR/ledger-key` (PKCS #8,
 * readable by its owner only) and `ledger-key.pub`. From the private key also comes the secret of the salts that hide buyers
 * in a public proof. Never changed by us afterwards: keep it with the backups.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

export interface LedgerKey {
  /** SPKI DER in base64: the body of the PEM file. */
  readonly publicKey: string;
  /** 64 hex characters: one SHA-256 block. */
  readonly saltSecret: string;
  /** @returns the signature in base64 */
  sign(text: string): string;
}

const FILE = "ledger-key";

/** The key of this data folder; made when there is none. */
export function openLedgerKey(dataDir: string): LedgerKey {
  const file = join(dataDir, FILE);
  if (!existsSync(file)) make(dataDir, file);
  const privateKey = createPrivateKey(readFileSync(file));
  const publicKey = createPublicKey(privateKey);
  const pub = `${file}.pub`;
  if (!existsSync(pub)) writeFileSync(pub, publicKey.export({ type: "spki", format: "pem" }));
  return {
    publicKey: spkiOf(publicKey),
    saltSecret: saltSecretOf(privateKey),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64"),
  };
}

/** The public key of a data folder, or of a PEM file; undefined when there is none. */
export function readPublicKey(path: string): string | undefined {
  const file = [path, join(path, `${FILE}.pub`), join(path, FILE)].find(isFile);
  return file === undefined ? undefined : spkiOf(createPublicKey(readFileSync(file)));
}

/** @param publicKey SPKI DER in base64 @param signature base64 */
export function isSigned(text: string, publicKey: string, signature: string): boolean {
  try {
    const key = createPublicKey({
      key: Buffer.from(publicKey, "base64"),
      format: "der",
      type: "spki",
    });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64"));
  } catch {
    // No such key: then nobody has signed with it.
    return false;
  }
}

/** For people to compare: the first 16 bytes of the key's SHA-256. */
export const fingerprintOf = (publicKey: string): string =>
  createHash("sha256").update(Buffer.from(publicKey, "base64")).digest("hex").slice(0, 32);

/** Whole or not at all, also when two processes start together: the first link wins. */
function make(dataDir: string, file: string): void {
  mkdirSync(dataDir, { recursive: true });
  const { privateKey } = generateKeyPairSync("ed25519");
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const handle = openSync(temporary, "r");
  fsyncSync(handle);
  closeSync(handle);
  try {
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(temporary);
  }
}

const saltSecretOf = (privateKey: KeyObject): string => {
  const seed = Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  return Buffer.from(hkdfSync("sha256", seed, "", "dropcast ledger salts 1", 32)).toString("hex");
};

const isFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true;

const spkiOf = (key: KeyObject): string =>
  key.export({ type: "spki", format: "der" }).toString("base64");
