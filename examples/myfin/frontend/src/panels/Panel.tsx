import { type ReactNode, useId } from "react";
import { type Resource, shown } from "../resource";

interface PanelProps {
  title: string;
  /** Controls at the right of the title. */
  actions?: ReactNode;
  children: ReactNode;
}

export function Panel({ title, actions, children }: PanelProps) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

interface LoadedProps<T> {
  resource: Resource<T>;
  /** What could not be loaded: "the accounts". */
  what: string;
  empty: string;
  isEmpty: (value: T) => boolean;
  children: (value: T) => ReactNode;
}

/** Shows the resource in whichever state it is, so that one failing part never blanks another. */
export function Loaded<T>({ resource, what, empty, isEmpty, children }: LoadedProps<T>) {
  if (resource.state === "failed") {
    return <Failure what={what} error={resource.error} retry={resource.reload} />;
  }
  const value = shown(resource);
  if (value === null) return <Skeleton what={what} />;
  return (
    <div className="loaded" aria-busy={resource.state === "loading"}>
      {isEmpty(value) ? <p className="empty">{empty}</p> : children(value)}
    </div>
  );
}

function Skeleton({ what }: { what: string }) {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">Loading {what}…</span>
      <i />
      <i />
      <i />
    </div>
  );
}

function Failure({ what, error, retry }: { what: string; error: Error; retry: () => void }) {
  return (
    <div className="failure" role="alert">
      <p>
        <strong>Could not load {what}.</strong> {error.message}
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
