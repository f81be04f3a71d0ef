//! One rung that plays: its server, its clients, and all that is done to them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use ladder::manifests::Carrier;
use ladder::process::GENEROUS;
use ladder::scratch::Scratch;
use ladder::{Address, Failure, Ladder, Rung, failure, port};
use netfault::Fault;
use trial::{Faults, faults};

use crate::crowd;
use crate::event::{LINES, What, Who};
use crate::feed::{Feed, Teller};
use crate::line::Line;
use crate::look::Look;
use crate::loose;
use crate::order::Order;
use crate::player::{Part, Player};
use crate::rungs;

/// Faults that are loose at a time.
const LOOSE: usize = 4;

/// A rung that plays. Everything that it has started ends with it.
pub struct Play<'a> {
    ladder: &'a Arc<Ladder>,
    rung: &'a Rung,
    program: PathBuf,
    args: Vec<String>,
    teller: Teller,
    clients: [Option<Player>; 2],
    /// A crowd, and each fault, leave when this is dropped.
    crowd: Option<Sender<()>>,
    loose: Vec<Sender<()>>,
    server: Option<Player>,
    address: Address,
    lines: Vec<Line>,
    /// Where the first client goes instead, while a fault stands between.
    detour: Option<Address>,
    look: Look,
    _folder: Option<Scratch>,
}

impl<'a> Play<'a> {
    /// Starts the server of `rung`, as it is started for this fault where there is one.
    /// `look` is called when there may be something new to see.
    pub fn begin(
        ladder: &'a Arc<Ladder>,
        rung: &'a Rung,
        fault: Option<&'static Fault>,
        feed: &Arc<Feed>,
        look: impl Fn() + Clone + Send + 'static,
    ) -> Result<Play<'a>, Failure> {
        let args = fault.map_or_else(|| rung.server_args.clone(), |fault| rung.args_for(fault));
        let teller = feed.begin(rungs::session(rung, &args, fault));
        let prepared = Play::prepare(ladder, rung, args, &teller, look);
        let mut play = prepared.inspect_err(|failure| teller.trouble(failure.to_string()))?;
        let started = play.start_server();
        let done = started.and_then(|()| fault.map_or(Ok(()), |fault| play.let_loose(fault, true)));
        play.told(done);
        Ok(play)
    }

    /// All that has to be there before the server.
    fn prepare(
        ladder: &'a Arc<Ladder>,
        rung: &'a Rung,
        args: Vec<String>,
        teller: &Teller,
        look: impl Fn() + Clone + Send + 'static,
    ) -> Result<Play<'a>, Failure> {
        if let Some(why) = trial::why_not(rung) {
            return Err(failure!("{} cannot be watched: {why}", rung.name));
        }
        teller.note(format!("building {}, unless it is built already", rung.name));
        let program = ladder.program(&rung.name)?;
        rung.prepare(&program)?;
        let is_on_a_file = rung.transport == Carrier::Unix;
        let folder = is_on_a_file.then(|| Scratch::temporary("watch")).transpose()?;
        let file = |name: &str| {
            folder.as_ref().map(|folder| Address::Unix(folder.path().join(format!("{name}.sock"))))
        };
        // One that stays free when the server ends, so that it can be started there again.
        let address = file("server").map_or_else(|| port::lasting().map(Address::port), Ok)?;
        let mut lines = Vec::new();
        for (number, who) in LINES.into_iter().enumerate() {
            let here = file(&number.to_string()).unwrap_or(Address::port(0));
            lines.push(Line::open(rung, &here, &address, who, teller, look.clone())?);
        }
        Ok(Play {
            ladder,
            rung,
            program,
            args,
            clients: [None, None],
            crowd: None,
            loose: Vec::new(),
            server: None,
            look: Look::new(rung, &address, &lines),
            address,
            lines,
            detour: None,
            teller: teller.clone(),
            _folder: folder,
        })
    }

    fn told(&self, done: Result<(), Failure>) {
        if let Err(failure) = done {
            self.teller.trouble(failure.to_string());
        }
    }

    /// Does what a button asks for, and tells what cannot be done.
    pub fn follow(&mut self, order: Order) {
        let done = self.try_to_follow(order);
        self.told(done);
    }

    fn try_to_follow(&mut self, order: Order) -> Result<(), Failure> {
        match order {
            Order::Say { client, text } => return self.say(client, &text),
            // It has nothing more to say.
            Order::HangUp { client } => self.client(client).into_iter().for_each(Player::hang_up),
            Order::KillClient { client } => {
                self.client(client).into_iter().for_each(|it| it.process.kill())
            }
            Order::StopServer => match living(&mut self.server, &self.teller) {
                Some(server) => server.process.ask_to_stop(),
                None => self.teller.note("the server has ended already"),
            },
            Order::KillServer => self.server.iter().for_each(|it| it.process.kill()),
            Order::StartServer => return self.start_server(),
            Order::Fault { name } => return self.let_loose(faults::find(&name)?, false),
            Order::PeersLeave => {
                self.loose.clear();
                self.detour = None;
            }
            Order::Network(network) => {
                self.lines.iter().for_each(|line| line.change(&network));
                self.teller.now(&What::Network(network));
            }
            Order::Crowd { number } => self.crowd_comes(number),
            Order::CrowdLeaves => self.crowd = None,
            Order::Begin { .. } | Order::Look => {}
        }
        Ok(())
    }

    fn client(&mut self, number: usize) -> Option<&mut Player> {
        self.clients.get_mut(number)?.as_mut()
    }

    /// Starts the server where it was, or for the first time. Why it does not start, it
    /// says itself.
    fn start_server(&mut self) -> Result<(), Failure> {
        if living(&mut self.server, &self.teller).is_some() {
            self.teller.note("the server is there already");
            return Ok(());
        }
        self.server = None;
        let (who, program, place, args) = (Who::Server, &self.program, &self.address, &self.args);
        let part = Part { who, rung: self.rung, program, place, args, listens: false };
        let (server, ready) = Player::start(part, &self.teller)?;
        let server = self.server.insert(server);
        // An end closes the channel, and so ends the wait.
        if ready.recv_timeout(GENEROUS).is_err() {
            server.process.wait(GENEROUS)?;
            server.is_over(&self.teller);
        }
        Ok(())
    }

    /// Has a client say something: the one that is there, or, where it is gone or its
    /// server has ended the conversation, a new one.
    fn say(&mut self, client: usize, text: &str) -> Result<(), Failure> {
        if client >= self.clients.len() {
            return Ok(());
        }
        let rung = self.rung;
        // Its client reads everything before it sends anything, and then comes once.
        let once = rung.serves_once();
        let gone = match &mut self.clients[client] {
            Some(player) => player.is_over(&self.teller) || self.lines[client].has_ended(),
            None => true,
        };
        if gone || once {
            let mut args = rungs::client_args(rung, client);
            args.extend(once.then(|| text.to_string()));
            self.start_client(client, &args, !once)?;
        }
        match &self.clients[client] {
            Some(player) if !once && !player.say(text) => Err(Failure::new(
                "this client reads no more: it has not sent what it was told before",
            )),
            _ => Ok(()),
        }
    }

    fn start_client(
        &mut self,
        client: usize,
        args: &[String],
        listens: bool,
    ) -> Result<(), Failure> {
        // The one that was there ends before its place is taken.
        self.clients[client] = None;
        self.lines[client].begin();
        let nobody = living(&mut self.server, &self.teller).is_none();
        // Where nobody listens, it is to be refused by the system and not by us.
        let place = match &self.detour {
            _ if nobody => &self.address,
            Some(detour) if client == 0 => detour,
            _ => self.lines[client].address(),
        };
        let (who, program) = (LINES[client], &self.program);
        let part = Part { who, rung: self.rung, program, place, args, listens };
        self.clients[client] = Some(Player::start(part, &self.teller)?.0);
        Ok(())
    }

    fn crowd_comes(&mut self, number: usize) {
        self.crowd = None;
        netfault::descriptors::allow_many();
        let rung = self.rung;
        let (speaks, hello) = (rung.speaks(), Faults::hello(rung));
        let crowd = crowd::come(&self.address, speaks.transport(), hello, number, &self.teller);
        self.crowd = Some(crowd);
    }

    /// Lets a fault loose on this server. Where it is `judged`, an ordinary client comes as
    /// well, and a trial tells how it ends.
    fn let_loose(&mut self, fault: &'static Fault, judged: bool) -> Result<(), Failure> {
        let rung = self.rung;
        if !fault.is_for(rung.speaks()) {
            return Err(failure!("there is no {} for what {} speaks", fault.name, rung.name));
        }
        faults::check_files(fault)?;
        if rungs::is_only_tried(fault) {
            let Fault { name, about, .. } = fault;
            let text = format!("{name}: {about}. The trial does it, to a server of its own");
            self.teller.note(text);
        } else {
            if self.loose.len() >= LOOSE {
                self.loose.remove(0);
            }
            let peer = &self.lines[2];
            peer.give_to(Who::Peer);
            match faults::start(rung, fault, peer.address()) {
                Ok(running) => {
                    if running.address() != peer.address() {
                        // It stands between an ordinary client and the server, and waits for one.
                        peer.give_to(Who::Client1);
                        self.detour = Some(running.address().clone());
                    }
                    self.loose.push(loose::keep(fault, running, &self.teller));
                }
                // A trial tells more of it.
                Err(failure) => self.teller.trouble(failure.to_string()),
            }
        }
        if judged {
            self.run_ordinary_client(fault)?;
            loose::judge(self.ladder, rung, fault, &self.teller);
        }
        Ok(())
    }

    /// Starts the client that does nothing wrong, beside the fault.
    fn run_ordinary_client(&mut self, fault: &Fault) -> Result<(), Failure> {
        let rung = self.rung;
        let Some(run) = rung.demo.first() else { return Ok(()) };
        let words = fault.words.iter().map(ToString::to_string);
        let args = match fault.words.is_empty() {
            true => run.args.clone(),
            false => rungs::client_args(rung, 0).into_iter().chain(words).collect(),
        };
        self.start_client(0, &args, false)
    }

    /// Tells what has changed without a word: ends of processes, states of sockets, what
    /// the server holds.
    pub fn look(&mut self) {
        self.teller.breathe();
        let server = living(&mut self.server, &self.teller).map(|server| server.process.id());
        for client in self.clients.iter_mut().flatten() {
            client.is_over(&self.teller);
        }
        self.look.look(server, &self.teller);
    }
}

/// The one that has not ended; an end is told.
fn living<'a>(player: &'a mut Option<Player>, teller: &Teller) -> Option<&'a mut Player> {
    player.as_mut().and_then(|player| (!player.is_over(teller)).then_some(player))
}
