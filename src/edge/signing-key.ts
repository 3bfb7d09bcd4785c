import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CarrelError } from '../shared/errors.js';

/** The key pair that development tokens are signed with. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * The Ed25519 key pair of a data folder; made at the first call, however many processes call at once.
 *
 * @throws CarrelError `invalid_config` when the file is no such key, or others may read it
 */
export async function loadOrCreateSigningKey(path: string): Promise<SigningKey> {
  try {
    return (await load(path)) ?? (await create(path));
  } catch (error) {
    if (error instanceof CarrelError) throw error;
    throw new CarrelError('invalid_config', `the signing key ${path} can't be read or made: ${String(error)}`, {
      cause: error,
    });
  }
}

async function load(path: string): Promise<SigningKey | undefined> {
  const pem = await readFile(path, 'utf8').catch(undefinedIfMissing);
  if (pem === undefined) return undefined;
  await refuseIfOthersMayRead(path);
  return pairOf(pem, path);
}

function pairOf(pem: string, path: string): SigningKey {
  const hint = `restore the file, or delete it to have a new key made (tokens signed so far end then)`;
  try {
    const privateKey = createPrivateKey(pem);
    if (privateKey.asymmetricKeyType === 'ed25519') return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch (cause) {
    throw new CarrelError('invalid_config', `${path} holds no private key: ${hint}`, { cause });
  }
  throw new CarrelError('invalid_config', `${path} holds no Ed25519 key: ${hint}`);
}

async function refuseIfOthersMayRead(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  const text = mode.toString(8);
  throw new CarrelError(
    'invalid_config',
    `others may read the signing key ${path} (mode ${text}): run chmod 600 ${path}`,
  );
}

/** A link that fails when the name is taken: whoever comes second uses the first one's key, and nobody sees half a file. */
async function create(path: string): Promise<SigningKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeSecret(draft, newKeyPem());
    await link(draft, path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(draft).catch(undefinedIfMissing);
  }
  const key = await load(path);
  if (!key) throw new CarrelError('invalid_config', `the signing key ${path} vanished while it was made`);
  return key;
}

function newKeyPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function writeSecret(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
