//! Partitions of AWS, which share nothing: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.

/// The region where a partition's global services are signed for, as botocore's `partitions.json` has it
/// (`implicitGlobalRegion`).
const HOME_REGIONS: [(&str, &str); 8] = [
    ("aws", "us-east-1"),
    ("aws-cn", "cn-northwest-1"),
    ("aws-eusc", "eusc-de-east-1"),
    ("aws-iso", "us-iso-east-1"),
    ("aws-iso-b", "us-isob-east-1"),
    ("aws-iso-e", "eu-isoe-west-1"),
    ("aws-iso-f", "us-isof-south-1"),
    ("aws-us-gov", "us-gov-west-1"),
];

/// The region that finds IAM in the partition of this ARN; `None` where that is not known.
pub(super) fn home_region(arn: &str) -> Option<&'static str> {
    let partition = arn.strip_prefix("arn:")?.split(':').next()?;
    let known = HOME_REGIONS.into_iter().find(|(name, _)| *name == partition);
    known.map(|(_, region)| region)
}

#[cfg(test)]
mod tests {
    use super::home_region;

    #[test]
    fn a_role_says_in_which_partition_iam_is() {
        for (arn, region) in [
            ("arn:aws:iam::123456789012:role/rotator", Some("us-east-1")),
            ("arn:aws-cn:iam::123456789012:role/rotator", Some("cn-northwest-1")),
            ("arn:aws-us-gov:iam::123456789012:role/rotator", Some("us-gov-west-1")),
            ("arn:aws-new:iam::123456789012:role/rotator", None),
            ("rotator", None),
        ] {
            assert_eq!(home_region(arn), region, "{arn}");
        }
    }
}
