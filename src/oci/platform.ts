import { OcitsError } from '../errors.ts';

/** image-spec image-index.md: the operating system and processor that an image is made for, in GOOS and GOARCH terms. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly 'os.version'?: string | undefined;
}

const ARCHITECTURE_ALIASES = new Map(
  Object.entries({
    x86_64: 'amd64',
    'x86-64': 'amd64',
    x64: 'amd64',
    aarch64: 'arm64',
    armhf: 'arm',
    armel: 'arm',
    i386: '386',
    ia32: '386',
    ppc64el: 'ppc64le',
  }),
);

/** The platform of this host, for a Linux container. */
export function hostPlatform(nodeArch: string = process.arch): Platform {
  return normalizePlatform({ os: 'linux', architecture: nodeArch });
}

/**
 * Reads `os/arch[/variant]` or `arch` alone, as `--platform` takes it. Throws `invalid-argument`.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9][a-z0-9_.-]*$/.test(part))) {
    throw new OcitsError(
      'invalid-argument',
      `platform ${JSON.stringify(text)} is not os/arch[/variant], such as linux/amd64`,
    );
  }
  const [first = '', second, variant] = parts;
  if (second === undefined) {
    if (first === 'linux') return hostPlatform();
    return normalizePlatform({ os: 'linux', architecture: first });
  }
  return normalizePlatform({
    os: first,
    architecture: second,
    variant,
  });
}

/** The spelling that all platforms are compared in: aliases resolved, the variant that goes without saying left out. */
export function normalizePlatform(platform: Platform): Platform {
  const alias = platform.architecture.toLowerCase();
  const architecture = ARCHITECTURE_ALIASES.get(alias) ?? alias;
  const variant = normalVariant(architecture, alias, platform.variant);
  const version = platform['os.version'];
  return {
    os: platform.os.toLowerCase(),
    architecture,
    variant,
    'os.version': version,
  };
}

function normalVariant(architecture: string, alias: string, variant: string | undefined): string | undefined {
  const known = variant === undefined || variant === '' ? undefined : variant.toLowerCase();
  if (architecture === 'arm') {
    const arm = known ?? (alias === 'armel' ? 'v6' : 'v7');
    return /^[5-8]$/.test(arm) ? `v${arm}` : arm;
  }
  if (architecture === 'arm64') return known === 'v8' || known === '8' ? undefined : known;
  if (architecture === 'amd64') return known === 'v1' ? undefined : known;
  return known;
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/**
 * The entries of an index that can run on `wanted`, best first: the exact variant, then lower ones
 * (arm v7 runs v6 and v5; arm64 and amd64 run their own earlier levels). An entry without a platform never is one.
 */
export function matchPlatforms<T extends { readonly platform?: Platform | undefined }>(
  entries: readonly T[],
  wanted: Platform,
): T[] {
  const target = normalizePlatform(wanted);
  const scored: { entry: T; score: number }[] = [];
  for (const entry of entries) {
    const score = platformScore(entry.platform, target);
    if (score > 0) scored.push({ entry, score });
  }
  return scored.sort((a, b) => b.score - a.score).map(({ entry }) => entry);
}

/** Whether what is made for `offered` can run on `wanted`. */
export function runsOn(offered: Platform, wanted: Platform): boolean {
  return platformScore(offered, normalizePlatform(wanted)) > 0;
}

/** The error for an image that is there for other platforms. `name` is what it calls the image. */
export function wrongPlatform(name: string, wanted: Platform, offered: readonly Platform[]): OcitsError {
  const there = [...new Set(offered.map((platform) => formatPlatform(normalizePlatform(platform))))];
  const hint =
    there[0] === undefined
      ? undefined
      : `choose one of these with --platform, such as --platform ${there[0]}`;
  const list = there.length === 0 ? 'no image' : there.join(', ');
  const text = `${name} has no image for ${formatPlatform(wanted)}; there is ${list}`;
  return new OcitsError('wrong-platform', text, { hint });
}

/** 0: cannot run; higher is better. */
function platformScore(offered: Platform | undefined, target: Platform): number {
  if (offered === undefined) return 0;
  const platform = normalizePlatform(offered);
  if (platform.os !== target.os || platform.architecture !== target.architecture) return 0;
  const have = variantLevel(platform);
  const want = variantLevel(target);
  if (have === undefined || want === undefined) return platform.variant === target.variant ? 100 : 0;
  return have > want ? 0 : 100 - (want - have);
}

function variantLevel(platform: Platform): number | undefined {
  const base = platform.architecture === 'arm64' ? 8 : 1;
  if (platform.variant === undefined) return base;
  const match = /^v(\d+)$/.exec(platform.variant);
  return match === null ? undefined : Number(match[1]);
}
