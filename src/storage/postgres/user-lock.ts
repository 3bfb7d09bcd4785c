import type { UserId } from '../../shared/ids.js';
import type { Queryable } from './postgres-database.js';

const ENLIST = { name: 'enlist_user', text: 'INSERT INTO users (id) VALUES ($1) ON CONFLICT DO NOTHING' };
const LOCK = { name: 'lock_user', text: 'SELECT 1 FROM users WHERE id = $1 FOR UPDATE' };
const LOCK_AND_RAISE = {
  name: 'raise_user',
  text: 'UPDATE users SET version = version + 1 WHERE id = $1 RETURNING id',
};

/**
 * Until the transaction ends, nobody else changes anything of the user's.
 *
 * @returns false for a user whom nobody has seen
 */
export async function lockUser(connection: Queryable, userId: UserId): Promise<boolean> {
  return (await connection.query(LOCK, [userId])).length === 1;
}

/** As `lockUser`; nodes that remember something of the user's have to look again afterwards. */
export async function lockAndRaise(connection: Queryable, userId: UserId): Promise<boolean> {
  return (await connection.query(LOCK_AND_RAISE, [userId])).length === 1;
}

/** As `lockUser`, for a user who may be new. */
export async function lockNewUser(connection: Queryable, userId: UserId): Promise<void> {
  if (await lockUser(connection, userId)) return;
  await connection.query(ENLIST, [userId]);
  await lockUser(connection, userId);
}
