//! What an operator does with the AWS and SAM command lines. Endpoint, region and credentials come from the
//! environment that `tests/deploy/run` sets; the commands inherit it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use aws_credential_types::Credentials;
use serde_json::{Value, json};
use tokio::process::Command;

/// Names and values that the stack answers with.
pub type Outputs = BTreeMap<String, String>;

/// Runs `aws …` and reads its JSON; `Null` when it says nothing.
pub async fn aws(arguments: &[&str]) -> Result<Value> {
    run(command(arguments)?).await
}

#[expect(clippy::disallowed_methods, reason = "`aws sqs` takes the endpoint as an argument only")]
fn command(arguments: &[&str]) -> Result<Command> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").context("AWS_ENDPOINT_URL")?;
    let mut command = Command::new("aws");
    command.args(["--endpoint-url", &endpoint, "--output", "json"]).args(arguments);
    Ok(command)
}

async fn run(mut command: Command) -> Result<Value> {
    let shown = format!("{:?}", command.as_std());
    let output = command.output().await.with_context(|| shown.clone())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{shown}: {}", said.trim());
    let text = String::from_utf8(output.stdout)?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).with_context(|| format!("{shown}: {text}"))
}

pub struct Stack {
    pub name: String,
    /// Path of a template beside the functions' folders.
    pub template: String,
}

impl Stack {
    /// Creates the stack, or updates it. An empty parameter is left as it was, at first its default.
    pub async fn deploy(&self, parameters: &[(&str, &str)]) -> Result<Outputs> {
        let mut command = Command::new("sam");
        command.args(["deploy", "--template-file", &self.template, "--stack-name", &self.name]);
        command.args([
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-confirm-changeset",
        ]);
        command.arg("--parameter-overrides");
        let given = parameters.iter().filter(|(_, value)| !value.is_empty());
        command.args(given.map(|(name, value)| format!("{name}={value}")));
        let output = command.output().await.context("sam")?;
        if !output.status.success() {
            bail!(
                "sam deploy failed\n{}\n{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        self.outputs().await
    }

    async fn outputs(&self) -> Result<Outputs> {
        let answer =
            aws(&["cloudformation", "describe-stacks", "--stack-name", &self.name]).await?;
        let listed =
            answer["Stacks"][0]["Outputs"].as_array().context("the stack has no outputs")?;
        Ok(pairs(listed, "OutputKey", "OutputValue"))
    }

    /// The names that the account knows the template's resources by.
    pub async fn resources(&self) -> Result<BTreeMap<String, String>> {
        let answer =
            aws(&["cloudformation", "list-stack-resources", "--stack-name", &self.name]).await?;
        let listed = answer["StackResourceSummaries"].as_array().context("the stack is empty")?;
        Ok(pairs(listed, "LogicalResourceId", "PhysicalResourceId"))
    }

    pub async fn remove(&self) -> Result<()> {
        aws(&["cloudformation", "delete-stack", "--stack-name", &self.name]).await?;
        aws(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", &self.name])
            .await?;
        Ok(())
    }
}

fn pairs(listed: &[Value], name: &str, value: &str) -> BTreeMap<String, String> {
    let text = |row: &Value, field: &str| row[field].as_str().map(str::to_owned);
    listed.iter().filter_map(|row| Some((text(row, name)?, text(row, value)?))).collect()
}

/// Takes a function's role. Its trust lets only Lambda do so, so the trust is widened first.
pub async fn assume(role: &str) -> Result<Credentials> {
    let account = role.split(':').nth(4).context("an account in the role's ARN")?;
    let name = role.rsplit('/').next().context("a name in the role's ARN")?;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
        "Action": "sts:AssumeRole",
    }]})
    .to_string();
    aws(&["iam", "update-assume-role-policy", "--role-name", name, "--policy-document", &trust])
        .await?;
    let answer =
        aws(&["sts", "assume-role", "--role-arn", role, "--role-session-name", "story"]).await?;
    let part = |name: &str| -> Result<String> {
        let value = answer["Credentials"][name].as_str();
        Ok(value.with_context(|| format!("no {name} for {role}"))?.to_owned())
    };
    let session = Some(part("SessionToken")?);
    let (access_key, secret) = (part("AccessKeyId")?, part("SecretAccessKey")?);
    Ok(Credentials::new(access_key, secret, session, None, "the deploy story"))
}

/// Which of the actions the policies of the role allow on the resource.
pub async fn allowed(role: &str, actions: &[&str], resource: &str) -> Result<Vec<String>> {
    let mut arguments = vec!["iam", "simulate-principal-policy", "--policy-source-arn", role];
    arguments.extend(["--resource-arns", resource, "--action-names"]);
    arguments.extend(actions);
    let answer = aws(&arguments).await?;
    let results = answer["EvaluationResults"].as_array().context("results of the simulation")?;
    ensure!(results.len() == actions.len(), "{role} on {resource}: {answer}");
    let allowed = results.iter().filter(|result| result["EvalDecision"] == "allowed");
    Ok(allowed.filter_map(|result| result["EvalActionName"].as_str().map(str::to_owned)).collect())
}

pub async fn queue_arn(url: &str) -> Result<String> {
    let answer =
        aws(&["sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "QueueArn"])
            .await?;
    Ok(answer["Attributes"]["QueueArn"].as_str().context("a queue has an ARN")?.to_owned())
}
