//! A JSON API with a file behind it: tasks that are listed, added, changed and dropped.
//!
//! ```console
//! $ cargo run -p http-server --features json --example json_api
//! listening on http://127.0.0.1:8000/
//! $ curl --json '{"title": "buy milk"}' 127.0.0.1:8000/tasks
//! {"id":1,"title":"buy milk","done":false}
//! $ curl '127.0.0.1:8000/tasks?done=false'
//! ```
//!
//! Whoever reaches the port may change everything: `Guarded` puts a password before it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_server::{AccessLog, IntoResponse, Json, Refusal, Request, Response, Server, Status};
use serde::{Deserialize, Serialize};

/// Past it, 507. With the limit of a body, the bound on the file.
const MOST_TASKS: usize = 1000;

/// A task as it is shown and kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Task {
    id: u64,
    title: String,
    done: bool,
}

/// A task as it is sent. A field that is not known is an error: it would be a misspelt one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTask {
    title: String,
    #[serde(default)]
    done: bool,
}

/// What is in the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Tasks {
    /// The number that was given last. No task gets that of another.
    last: u64,
    list: Vec<Task>,
}

/// The tasks, and the file that has them.
struct Store {
    path: PathBuf,
    tasks: Mutex<Tasks>,
    /// Locked for as long as this is there.
    _lock: File,
}

impl Store {
    fn open(path: &Path) -> io::Result<Store> {
        // One beside it, since each change makes another file of it.
        let lock = File::create(path.with_extension("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another server has the file"))?;
        let tasks = match fs::read(path) {
            Ok(json) => serde_json::from_slice(&json)?,
            Err(error) if error.kind() == ErrorKind::NotFound => Tasks::default(),
            Err(error) => return Err(error),
        };
        Ok(Store { path: path.into(), tasks: Mutex::new(tasks), _lock: lock })
    }

    fn read(&self) -> MutexGuard<'_, Tasks> {
        // What is behind the lock is whole at any time: `change` puts it there in one piece.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change that is in the file before anybody sees it. One that is refused, or
    /// cannot be written, has not happened.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Tasks) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut tasks = self.read();
        let mut changed = tasks.clone();
        let outcome = change(&mut changed)?;
        // What is missing then is ours: no 404.
        self.write(&changed).map_err(io::Error::other)?;
        *tasks = changed;
        Ok(outcome)
    }

    /// Under another name first: whenever the machine stops, the file is the old one or the
    /// new one.
    fn write(&self, tasks: &Tasks) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(tasks)?)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        // The new name is on the disk when the folder is. Windows opens none like this.
        #[cfg(unix)]
        File::open(self.path.parent().filter(|it| *it != "").unwrap_or(Path::new(".")))?
            .sync_all()?;
        Ok(())
    }
}

/// `?done=true` and `?done=false` show a part of them.
fn list(store: &Store, req: &Request<'_>) -> Result<Json<Vec<Task>>, Refusal> {
    let wanted: Option<bool> = match req.query("done").map(|done| done.parse()) {
        None => None,
        Some(Ok(done)) => Some(done),
        Some(Err(_)) => return Err(Refusal::new(Status::BAD_REQUEST, "?done= is true or false")),
    };
    let tasks = store.read();
    let list = tasks.list.iter().filter(|task| wanted.is_none_or(|done| task.done == done));
    Ok(Json(list.cloned().collect()))
}

fn add(store: &Store, req: &mut Request<'_>) -> Result<Response, Refusal> {
    // Before the lock is taken: a slow client would keep the others waiting.
    let new: NewTask = req.json()?;
    let task = store.change(|tasks| {
        if tasks.list.len() >= MOST_TASKS {
            return Err(Refusal::new(Status(507), "there is no room for one more task"));
        }
        tasks.last += 1;
        let task = Task { id: tasks.last, title: new.title, done: new.done };
        tasks.list.push(task.clone());
        Ok(task)
    })?;
    let address = format!("/tasks/{}", task.id);
    Ok((Status::CREATED, Json(task)).into_response().header("Location", &address))
}

fn show(store: &Store, req: &Request<'_>) -> Result<Json<Task>, Refusal> {
    let id = id(req)?;
    let tasks = store.read();
    tasks.list.iter().find(|task| task.id == id).cloned().map(Json).ok_or_else(Refusal::not_found)
}

fn replace(store: &Store, req: &mut Request<'_>) -> Result<Json<Task>, Refusal> {
    let id = id(req)?;
    let new: NewTask = req.json()?;
    store.change(|tasks| {
        let task = tasks.list.iter_mut().find(|task| task.id == id);
        let task = task.ok_or_else(Refusal::not_found)?;
        (task.title, task.done) = (new.title, new.done);
        Ok(Json(task.clone()))
    })
}

fn drop_one(store: &Store, req: &Request<'_>) -> Result<Status, Refusal> {
    let id = id(req)?;
    store.change(|tasks| {
        let place = tasks.list.iter().position(|task| task.id == id);
        tasks.list.remove(place.ok_or_else(Refusal::not_found)?);
        Ok(Status::NO_CONTENT)
    })
}

fn id(req: &Request<'_>) -> Result<u64, Refusal> {
    // What is no number is the address of no task.
    req.param("id").parse().map_err(|_| Refusal::not_found())
}

fn server(address: &str, path: &Path) -> Result<Server, Box<dyn Error>> {
    let store = Arc::new(Store::open(path)?);
    let [listed, added, shown, replaced, dropped] = [(); 5].map(|()| store.clone());
    Ok(Server::bind(address)?
        .get("/tasks", move |req| list(&listed, req))
        .post("/tasks", move |req| add(&added, req))
        .get("/tasks/{id}", move |req| show(&shown, req))
        .put("/tasks/{id}", move |req| replace(&replaced, req))
        .delete("/tasks/{id}", move |req| drop_one(&dropped, req)))
}

fn main() -> Result<(), Box<dyn Error>> {
    server("127.0.0.1:8000", "tasks.json".as_ref())?.access_log(AccessLog::Shown).run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_added_listed_changed_and_dropped_and_outlive_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.json");
        let start = || server("127.0.0.1:0", &path).unwrap().spawn().unwrap();
        let running = start();
        let client = running.client();
        let post = |json: &str| {
            client.post("/tasks").header("Content-Type", "application/json").body(json).send()
        };
        let reply = post(r#"{"title": "milk"}"#).unwrap();
        assert_eq!(reply.status(), Status::CREATED);
        assert_eq!(reply.field("Location"), Some("/tasks/1"));
        let milk = Task { id: 1, title: "milk".into(), done: false };
        assert_eq!(reply.json::<Task>().unwrap(), milk);
        post(r#"{"title": "хлеб", "done": true}"#).unwrap();
        assert_eq!(client.delete("/tasks/1").send().unwrap().status(), Status::NO_CONTENT);
        running.stop().unwrap();

        let running = start();
        let client = running.client();
        let put = client.put("/tasks/2").header("Content-Type", "application/json");
        let reply = put.body(r#"{"title": "хлеб"}"#).send().unwrap();
        assert_eq!(reply.text(), r#"{"id":2,"title":"хлеб","done":false}"#);
        assert_eq!(client.get("/tasks?done=true").send().unwrap().text(), "[]");
        let list: Vec<Task> = client.get("/tasks").send().unwrap().json().unwrap();
        assert_eq!(list, [Task { id: 2, title: "хлеб".into(), done: false }]);
        assert_eq!(client.get("/tasks/1").send().unwrap().status(), Status::NOT_FOUND);
    }

    #[test]
    fn one_server_has_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.json");
        let running = server("127.0.0.1:0", &path).unwrap().spawn().unwrap();
        let refused = server("127.0.0.1:0", &path).err().unwrap().to_string();
        assert_eq!(refused, "another server has the file");
        running.stop().unwrap();
        server("127.0.0.1:0", &path).unwrap();
    }

    #[test]
    fn what_is_no_task_is_refused_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let running =
            server("127.0.0.1:0", &folder.path().join("tasks.json")).unwrap().spawn().unwrap();
        let client = running.client();
        for (media_type, body, status) in [
            ("text/plain", r#"{"title": "x"}"#, Status::UNSUPPORTED_MEDIA_TYPE),
            ("application/json", "{", Status::BAD_REQUEST),
            ("application/json", r#"{"titel": "x"}"#, Status::UNPROCESSABLE_CONTENT),
        ] {
            let post = client.post("/tasks").header("Content-Type", media_type);
            assert_eq!(post.body(body).send().unwrap().status(), status, "{body}");
        }
        assert_eq!(client.get("/tasks?done=x").send().unwrap().status(), Status::BAD_REQUEST);
        assert_eq!(client.delete("/tasks/x").send().unwrap().status(), Status::NOT_FOUND);
        assert_eq!(client.get("/tasks").send().unwrap().text(), "[]");
    }

    #[test]
    fn a_change_that_cannot_be_written_has_not_happened() {
        let folder = tempfile::tempdir().unwrap();
        let running =
            server("127.0.0.1:0", &folder.path().join("tasks.json")).unwrap().spawn().unwrap();
        // Where the new file would be written.
        fs::create_dir(folder.path().join("tasks.new")).unwrap();
        let client = running.client();
        let post = client.post("/tasks").header("Content-Type", "application/json");
        let reply = post.body(r#"{"title": "x"}"#).send().unwrap();
        assert_eq!(reply.status(), Status::INTERNAL_SERVER_ERROR);
        assert_eq!(client.get("/tasks").send().unwrap().text(), "[]");
    }

    #[test]
    fn there_is_an_end_to_how_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.json");
        let task = |id| Task { id, title: String::new(), done: true };
        let list = (1..=MOST_TASKS as u64).map(task).collect();
        let full = Tasks { last: MOST_TASKS as u64, list };
        fs::write(&path, serde_json::to_vec(&full).unwrap()).unwrap();
        let running = server("127.0.0.1:0", &path).unwrap().spawn().unwrap();
        let post = || {
            running
                .client()
                .post("/tasks")
                .header("Content-Type", "application/json")
                .body(r#"{"title": "x"}"#)
                .send()
                .unwrap()
                .status()
        };
        assert_eq!(post(), Status(507));
        running.client().delete("/tasks/7").send().unwrap();
        assert_eq!(post(), Status::CREATED);
    }
}
