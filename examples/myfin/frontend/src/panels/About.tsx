import type { About } from "../api";
import { type Resource, shown } from "../resource";

export function Masthead({ about }: { about: Resource<About> }) {
  const known = shown(about);
  return (
    <header className="masthead">
      <h1>
        <img src="/favicon.svg" alt="" width="36" height="36" />
        MyFin
      </h1>
      <p>{known?.greeting || "Your money on one page."}</p>
      {known && known.environment !== "prod" && (
        <span className="badge">
          <span className="visually-hidden">Environment: </span>
          {known.environment}
        </span>
      )}
    </header>
  );
}

export function AboutFooter({ about }: { about: Resource<About> }) {
  return (
    <footer className="about">
      <span>MyFin, the reference application of Slipway</span>
      <AboutLine about={about} />
    </footer>
  );
}

function AboutLine({ about }: { about: Resource<About> }) {
  if (about.state === "failed") {
    return (
      <span>
        version unknown{" "}
        <button type="button" className="link" onClick={about.reload}>
          ask again
        </button>
      </span>
    );
  }
  const known = shown(about);
  if (known === null) return <span>asking for the version…</span>;
  return (
    <span>
      version <b>{known.version}</b> · commit <code>{known.commit.slice(0, 12)}</code> · environment{" "}
      <b>{known.environment}</b>
    </span>
  );
}
