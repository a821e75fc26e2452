/**
 * The room of volumes: named and anonymous folders that outlive containers, and their first content. The engine opens
 * the store; `container` makes, fills and removes volumes, and the commands of volumes list them. It knows no
 * container: whether a volume is used is for the caller to find out before it removes one.
 *
 *     const volumes = createVolumeStore(paths);
 *     const { volume, isNew } = await volumes.create('data', { labels: { app: 'web' } });
 *     await volumes.remove('data');
 */

export interface Volume {
  readonly name: string;
  /** The folder on the host. */
  readonly path: string;
  readonly createdAt: Date;
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** An anonymous one: the container that it was made for, which need not be there any more. */
  readonly madeFor?: string | undefined;
}

export type VolumeOptions = Partial<Pick<Volume, 'anonymous' | 'labels' | 'madeFor'>>;

/** Named volumes: plain folders below `volumes/<name>/data`. */
export interface VolumeStore {
  /** Idempotent: a volume of that name is returned as it is. `isNew` tells that nothing was ever put into it. */
  create(
    name: string,
    options?: VolumeOptions,
  ): Promise<{ readonly volume: Volume; readonly isNew: boolean }>;
  find(name: string): Promise<Volume | undefined>;
  /** By name. */
  list(): Promise<readonly Volume[]>;
  /**
   * Gives a volume that is empty its first content: `fill` writes into the volume's folder, alone among all processes.
   * Does nothing where the volume has content. What a crash left half-filled is emptied and filled again.
   */
  fill(name: string, fill: (folder: string) => Promise<void>): Promise<void>;
  /** `not-found`. Whether a container uses it is the caller's to know. */
  remove(name: string): Promise<void>;
}
