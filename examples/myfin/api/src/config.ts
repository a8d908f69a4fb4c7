import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const seconds = (fallback: number) => z.coerce.number().min(0).max(600).default(fallback);
const flag = z.stringbool().default(false);

const Environment = z.object({
  HOST: z.string().min(1).default('0.0.0.0'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3001),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  DB_HOST: z.string().min(1).default('127.0.0.1'),
  DB_PORT: z.coerce.number().int().min(1).max(65535).default(3306),
  DB_NAME: z.string().regex(/^\w+$/).default('myfin'),
  DB_USER: z.string().min(1).default('myfin'),
  DB_PASSWORD: z.string().optional(),
  DB_PASSWORD_FILE: z.string().min(1).optional(),
  DB_POOL_SIZE: z.coerce.number().int().min(1).max(100).default(10),
  APP_COMMIT: z.string().default(''),
  APP_ENVIRONMENT: z.string().min(1).default('local'),
  GREETING: z.string().min(1).max(200).default('Welcome to MyFin'),
  CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a currency code such as EUR')
    .default('EUR'),
  SEED_DEMO_DATA: flag,
  SHUTDOWN_DELAY_SECONDS: seconds(1),
  SHUTDOWN_DRAIN_SECONDS: seconds(20),
  FAULT: z.enum(['', 'none', 'probe']).default('none'),
});

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly name: string;
    readonly user: string;
    readonly password: string;
    readonly poolSize: number;
  };
  readonly version: string;
  readonly commit: string;
  readonly environment: string;
  readonly greeting: string;
  readonly currency: string;
  readonly seedDemoData: boolean;
  readonly shutdown: { readonly delaySeconds: number; readonly drainSeconds: number };
  /** For demonstrations of a bad release: `probe` makes GET /health answer 500 from the second time on. */
  readonly fault: 'none' | 'probe';
};

export class ConfigError extends Error {}

/** Reads the configuration from the environment; every fault at once, each with its variable. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`bad configuration: ${faults.join('; ')}`);
  }
  const settings = parsed.data;
  return {
    host: settings.HOST,
    port: settings.PORT,
    logLevel: settings.LOG_LEVEL,
    database: {
      host: settings.DB_HOST,
      port: settings.DB_PORT,
      name: settings.DB_NAME,
      user: settings.DB_USER,
      password: readPassword(settings.DB_PASSWORD, settings.DB_PASSWORD_FILE),
      poolSize: settings.DB_POOL_SIZE,
    },
    version: packageVersion(),
    commit: settings.APP_COMMIT || contentHash(),
    environment: settings.APP_ENVIRONMENT,
    greeting: settings.GREETING,
    currency: settings.CURRENCY,
    seedDemoData: settings.SEED_DEMO_DATA,
    shutdown: {
      delaySeconds: settings.SHUTDOWN_DELAY_SECONDS,
      drainSeconds: settings.SHUTDOWN_DRAIN_SECONDS,
    },
    fault: settings.FAULT === 'probe' ? 'probe' : 'none',
  };
}

function readPassword(password: string | undefined, file: string | undefined): string {
  if (file === undefined) return password ?? '';
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    throw new ConfigError(`DB_PASSWORD_FILE: cannot read ${file}`, { cause: error });
  }
}

/**
 * An image that knew its commit would differ between commits that did not touch it. It knows the
 * hash of its sources instead, which the build writes.
 */
function contentHash(): string {
  const file = new URL('./content-hash', import.meta.url);
  return existsSync(file) ? `content-${readFileSync(file, 'utf8').trim()}` : 'unknown';
}

function packageVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version;
}
